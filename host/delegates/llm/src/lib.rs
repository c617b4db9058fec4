//! Language models that handlers ask, by OpenAI-compatible backends under a grant.
