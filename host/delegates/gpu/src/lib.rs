//! GPUs leased to programs that handlers ask for, under a grant.
