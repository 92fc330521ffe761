//! One file per page.

pub mod admin;
pub mod check;
pub mod home;
pub mod lost;
pub mod session;

pub use admin::{AdminRoute, load_admin};
pub use check::{CheckRoute, load_check};
pub use home::HomePage;
pub use lost::LostPage;
pub use session::{SessionRoute, load_session, shown};

/// Styles that come with a page of their own, into whatever page one comes from: the policy of all pages lets them in.
pub const LATE_STYLES: [&str; 2] = [admin::STYLE, check::STYLE];
