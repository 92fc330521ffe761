//! The pages: rendered on the server, brought to life in the browser.

pub mod session;
