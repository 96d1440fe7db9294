"""How uncertain a distribution is, and how far two are apart, from their logits."""

from ._binary_entropy import binary_entropy as binary_entropy
from ._binary_kl_divergence import binary_kl_divergence as binary_kl_divergence
from ._cross_entropy_between import cross_entropy_between as cross_entropy_between
from ._entropy import entropy as entropy
from ._js_divergence import js_divergence as js_divergence
from ._kl_divergence import kl_divergence as kl_divergence
from ._total_variation import total_variation as total_variation
