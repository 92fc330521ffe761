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
