"""`make bench`: how fast the product is, as ratios taken in one run. No test asserts a time; this prints them."""
