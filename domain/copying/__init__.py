"""Copy trading as law: what a follower should hold, why not more, which order brings it there, and what it cost."""
