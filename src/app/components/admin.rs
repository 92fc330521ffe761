//! What the operator's page is made of.

pub mod chart;
pub mod connections;
pub mod door;
pub mod elsewhere;
pub mod month;
pub mod outcomes;
pub mod providers;
pub mod question;
pub mod sessions;
pub mod standing_bar;

pub use chart::{Drawn, Legend, SeriesTable, places};
pub use connections::Connections;
pub use door::Door;
pub use elsewhere::Elsewhere;
pub use month::Month;
pub use outcomes::OutcomesPanel;
pub use providers::Providers;
pub use question::Question;
pub use sessions::Sessions;
pub use standing_bar::StandingBar;
