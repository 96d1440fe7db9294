"""The machinery: declaring, checking, running and differentiating operations. No mathematics lives here."""
