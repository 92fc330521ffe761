//! What relaying costs, what it will have cost by the end of the month, and what a budget in money buys.
//!
//! - [`Money`]: millionths of the currency, as integers. [`Tariff`]: what a month's bytes cost somewhere. [`Prices`]: the table, with
//!   what the operator set in its place.
//! - [`Used`]: a month's bytes and days by provider, as the other functions take them. [`Forecast`]: where the month ends.
//! - [`Bill`]: the month in money: so far, by its end, per hour, and elsewhere. [`Budget`]: how many more bytes it buys.
//!
//! Pure: usage and time are passed in, and nothing here reads a clock, a file or a network. Bytes are those that each provider
//! bills; a month is a UTC month. Sums are integers throughout and rounded up, so that a budget is never passed by rounding.
//! Refuses to know where usage comes from and who is cut off.
//!
//! How it is used: `Prices` come with the settings; whoever has the month's usage builds a [`Used`] of every provider that is
//! configured, those that relayed nothing among them, since a plan may cost something all the same. Then
//!
//! - the operator's page and `tessro usage`: [`Bill::of`];
//! - the cap: [`Budget::buys`] and [`Budget::share`], with bytes that are reserved added to those that are used.

mod bill;
mod budget;
mod elsewhere;
mod forecast;
mod grammar;
mod prices;
mod share;
mod sum;
mod tariff;
mod used;

pub use bill::{Bill, Line, per_hour};
pub use budget::Budget;
pub use elsewhere::Elsewhere;
pub use forecast::{Forecast, Range};
pub use prices::{Origin, Paid, Prices, Published, published};
pub use share::Share;
pub use sum::{Currency, Money, ParseMoneyError};
pub use tariff::{Plan, Rate, Tariff};
pub use used::{OfProvider, Used};
