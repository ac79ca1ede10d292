"""What the conclusions are worth: whole tests are simulated and looked at again and again, through the product's own functions."""
