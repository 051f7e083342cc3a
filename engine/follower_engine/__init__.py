"""Copy trading, live: a follower's account converges on its targets by the same engine as every strategy."""
