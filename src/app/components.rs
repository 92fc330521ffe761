//! What the pages are made of.

pub mod chooser;
pub mod farewell;
pub mod field;
pub mod frame;
pub mod guest_controls;
pub mod icon;
pub mod invite;
pub mod join_form;
pub mod leave;
pub mod notices;
pub mod people;
pub mod presence;
pub mod privacy;
pub mod progress;
pub mod quality;
pub mod refusal;
pub mod stage;
pub mod wordmark;

pub use chooser::Chooser;
pub use farewell::Farewell;
pub use field::{Field, typed};
pub use frame::{Broken, Frame, Masthead, focus_on_arrival};
pub use guest_controls::GuestControls;
pub use icon::{Icon, Sign};
pub use invite::Invite;
pub use join_form::JoinForm;
pub use leave::Leave;
pub use notices::Notices;
pub use people::People;
pub use presence::Presence;
pub use privacy::Privacy;
pub use progress::Progress;
pub use quality::Quality;
pub use refusal::{FormProblem, Place, focus_refused, refusal};
pub use stage::Stage;
pub use wordmark::Wordmark;
