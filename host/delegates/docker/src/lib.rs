//! Containers that handlers ask for, run on a Docker engine under a grant.
