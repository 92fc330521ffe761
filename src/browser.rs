//! The only users of `web_sys`: carries out what `stream` decides.
