"""Linear and integer programs in the LP format, as traces write them."""
