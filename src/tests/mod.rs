//! The whole app, tested on port 0.
