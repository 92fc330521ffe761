//! What coturn counts itself: it publishes to Redis what each allocation has carried
//! (<https://github.com/coturn/coturn/blob/master/turndb/schema.stats.redis>).
//!
//! - [`message`]: what one message says. [`book`]: what of it counts, and whether coturn speaks at all.
//! - [`listener`]: who hears it.
//!
//! Every 4096 packets of an allocation, and at its end, comes what it carried since the last time, and at the end a total. The
//! parts count. The total tells what of them was not heard, since nobody repeats what was said while Redis was away.

mod book;
mod listener;
mod message;

pub(super) use listener::{Listener, SharedBook};
