"""The verdicts on the paper's claims, and the pages that show them."""
