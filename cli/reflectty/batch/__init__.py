"""Many questions of one file: what its lines ask, who answers them, and the records that come of them."""
