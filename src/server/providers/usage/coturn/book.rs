//! What of coturn's messages counts, and whether coturn is heard at all.
//!
//! Pure. Every part counts when it is heard. Of an allocation that was heard from its beginning the total at the end tells what
//! was not heard in between, and that counts too; of one that was there before us it may have been counted before us, so its
//! total tells nothing.
//!
//! coturn speaks from the first message that is ever heard, since a Redis to which nobody publishes is silent without being away.
//! A subscription that is lost and stands again soon was none that anybody noticed: the totals make up for it. One that stays
//! lost is said, and browsers' reports count from then on; so the totals of what lived through it tell nothing any more, or the
//! same bytes would count twice.

use super::message::{Message, News, Traffic};
use crate::{
    domain::{ByteCount, Now, ProviderKind},
    server::usage::Billing,
};
use std::{collections::HashMap, time::Duration};

/// An allocation of which nothing is heard for so long is gone: coturn lets none live longer than an hour without a refresh,
/// which it says.
const GONE_AFTER: Duration = Duration::from_hours(2);

/// How often those that are gone are looked for.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// More allocations than one coturn carries. Beyond them parts count and totals do not.
const MOST_ALLOCATIONS: usize = 100_000;

/// For so long a subscription may be lost before that is said. What is relayed in this time is in nobody's count if it is lost for
/// longer.
const GRACE: Duration = Duration::from_secs(10);

/// What is known of one relay.
#[derive(Debug, Default)]
pub(in super::super) struct Book {
    /// Who listens: those who listened before are not heard any more.
    listener: u64,
    /// coturn was heard, at any time.
    publishes: bool,
    speaks: bool,
    /// Since when there is no subscription.
    lost_at: Option<Now>,
    allocations: HashMap<String, Allocation>,
    swept: Now,
}

/// What comes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether coturn speaks from here on.
    pub(super) speaks_again: bool,
    /// What counts.
    pub(super) bytes: ByteCount,
}

impl Book {
    /// Somebody listens from now on, and nobody else does. Their number.
    pub(in super::super) fn take_over(&mut self, now: Now) -> u64 {
        self.listener += 1;
        self.lost_at.get_or_insert(now);
        self.listener
    }

    /// Whether coturn's count is the one that counts.
    pub(in super::super) fn speaks(&self) -> bool {
        self.speaks
    }

    /// Nobody listens any more. Whether coturn spoke until now.
    pub(in super::super) fn close(&mut self) -> bool {
        self.listener += 1;
        self.fall_silent()
    }

    /// The subscription stands. Whether coturn speaks again from now on.
    pub(super) fn stands(&mut self, listener: u64) -> bool {
        if self.listener != listener {
            return false;
        }
        self.lost_at = None;
        self.publishes && !std::mem::replace(&mut self.speaks, true)
    }

    /// The subscription is lost.
    pub(super) fn lost(&mut self, listener: u64, now: Now) {
        if self.listener == listener {
            self.lost_at.get_or_insert(now);
        }
    }

    /// Time passes. Whether coturn speaks no more.
    pub(super) fn tick(&mut self, listener: u64, now: Now) -> bool {
        let lost = self.lost_at.is_some_and(|lost_at| now.since(lost_at) >= GRACE);
        self.listener == listener && lost && self.fall_silent()
    }

    /// A message; `None` where somebody else listens by now.
    pub(super) fn hear(&mut self, listener: u64, message: &Message<'_>, now: Now) -> Option<Heard> {
        if self.listener != listener {
            return None;
        }
        self.sweep(now);
        self.publishes = true;
        let speaks_again = !std::mem::replace(&mut self.speaks, true);
        Some(Heard { speaks_again, bytes: billed(self.count(message, now)) })
    }

    fn count(&mut self, message: &Message<'_>, now: Now) -> Traffic {
        let full = self.allocations.len() >= MOST_ALLOCATIONS;
        let begun = message.news == News::Begun;
        let Some(allocation) = self.allocations.get_mut(message.allocation) else {
            let mut allocation = Allocation::new(begun, now);
            let counts = allocation.hear(message.news);
            if !full {
                self.allocations.insert(message.allocation.to_owned(), allocation);
            }
            return counts;
        };
        if begun {
            *allocation = Allocation::new(true, now);
        }
        allocation.last_heard = now;
        allocation.hear(message.news)
    }

    /// Browsers' reports count from now on: what they count is in the totals as well.
    fn fall_silent(&mut self) -> bool {
        self.allocations.values_mut().for_each(|allocation| allocation.from_its_beginning = false);
        std::mem::take(&mut self.speaks)
    }

    fn sweep(&mut self, now: Now) {
        if now.since(self.swept) >= SWEEP_EVERY {
            self.swept = now;
            self.allocations.retain(|_, allocation| now.since(allocation.last_heard) < GONE_AFTER);
        }
    }
}

/// One allocation.
#[derive(Debug)]
struct Allocation {
    /// It was heard all the time, or its total makes up for when it was not.
    from_its_beginning: bool,
    /// The sum of the parts that were heard.
    heard: Traffic,
    /// Its total has come: nothing can follow, and what does was in the total.
    over: bool,
    last_heard: Now,
}

impl Allocation {
    fn new(from_its_beginning: bool, now: Now) -> Self {
        Self { from_its_beginning, heard: Traffic::default(), over: false, last_heard: now }
    }

    /// What counts of it.
    fn hear(&mut self, news: News) -> Traffic {
        let counts = match news {
            News::Part(part) if !self.over => part,
            News::Total(total) if !self.over && self.from_its_beginning => {
                Traffic { received: rest(total.received, self.heard.received), sent: rest(total.sent, self.heard.sent) }
            }
            News::Begun | News::Lives | News::Part(_) | News::Total(_) => Traffic::default(),
        };
        self.over |= matches!(news, News::Total(_));
        self.heard.received = self.heard.received.saturating_add(counts.received);
        self.heard.sent = self.heard.sent.saturating_add(counts.sent);
        counts
    }
}

/// What is missing from `heard` to what `total` stands for, which may have wrapped at 4 GiB. A total beyond that has not.
fn rest(total: u64, heard: u64) -> u64 {
    const WRAP: u64 = 1 << 32;
    if total >= WRAP { total.saturating_sub(heard) } else { total.wrapping_sub(heard) % WRAP }
}

fn billed(traffic: Traffic) -> ByteCount {
    let sent = ByteCount::new(traffic.sent);
    match Billing::of(ProviderKind::Coturn) {
        Billing::ClientEgress => sent,
        Billing::ClientBoth => sent.plus(ByteCount::new(traffic.received)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Now = Now::since_start(Duration::ZERO);

    fn message(allocation: &str, news: News) -> Message<'_> {
        Message { allocation, user: None, news }
    }

    fn traffic(received: u64, sent: u64) -> Traffic {
        Traffic { received, sent }
    }

    /// What counts of these messages, said at once of one allocation.
    fn counted(news: &[News]) -> u64 {
        let mut book = Book::default();
        let listener = book.take_over(START);
        let bytes = news.iter().map(|news| book.hear(listener, &message("a", *news), START).unwrap().bytes.get());
        bytes.sum()
    }

    #[test]
    fn parts_count_and_a_total_adds_what_was_not_heard() {
        let (part, total) = (News::Part(traffic(100, 1_000)), News::Total(traffic(350, 3_500)));
        assert_eq!(counted(&[News::Begun, part, part, News::Lives]), 2_200);
        assert_eq!(counted(&[News::Begun, part, part, News::Lives, total]), 3_850);
        assert_eq!(counted(&[News::Begun, total, part, total]), 3_850, "nothing follows a total");
    }

    #[test]
    fn of_one_that_was_there_before_us_only_parts_count() {
        let (part, total) = (News::Part(traffic(100, 1_000)), News::Total(traffic(9_000, 9_000)));
        assert_eq!(counted(&[News::Lives, part, total]), 1_100);
        assert_eq!(counted(&[total]), 0);
        // Another one that has its name is another one.
        assert_eq!(counted(&[part, total, News::Begun, part, News::Total(traffic(200, 1_000))]), 2_300);
    }

    #[test]
    fn it_speaks_from_the_first_message_until_the_subscription_stays_lost() {
        let mut book = Book::default();
        let first = book.take_over(START);
        let hear = |book: &mut Book, listener| book.hear(listener, &message("a", News::Lives), START);
        assert!(!book.stands(first) && !book.tick(first, START + GRACE), "nobody said anything");
        assert!(hear(&mut book, first).unwrap().speaks_again);
        assert!(!hear(&mut book, first).unwrap().speaks_again);

        // Back soon enough.
        book.lost(first, START);
        assert!(!book.tick(first, START + GRACE / 2) && !book.stands(first) && !book.tick(first, START + GRACE));
        // Failing again does not begin the time anew.
        book.lost(first, START);
        book.lost(first, START + GRACE / 2);
        assert!(book.tick(first, START + GRACE) && !book.tick(first, START + GRACE * 2));
        assert!(book.stands(first) && book.speaks());

        // Settings are read again: somebody else listens, and has as long to subscribe.
        let second = book.take_over(START);
        assert!(hear(&mut book, first).is_none() && !book.stands(first) && book.speaks());
        assert!(!book.tick(first, START + GRACE) && book.tick(second, START + GRACE));
        assert!(book.stands(second) && book.close() && !book.close());
    }

    #[test]
    fn what_browsers_counted_meanwhile_does_not_count_again() {
        let mut book = Book::default();
        let listener = book.take_over(START);
        let (part, total) = (News::Part(traffic(100, 1_000)), News::Total(traffic(900, 9_000)));
        let hear = |book: &mut Book, news| book.hear(listener, &message("a", news), START).unwrap().bytes.get();
        assert_eq!((hear(&mut book, News::Begun), hear(&mut book, part)), (0, 1_100));
        book.lost(listener, START);
        assert!(book.tick(listener, START + GRACE) && book.stands(listener));
        assert_eq!((hear(&mut book, part), hear(&mut book, total)), (1_100, 0));
        // What begins afterwards is heard as ever.
        assert_eq!((hear(&mut book, News::Begun), hear(&mut book, total)), (0, 9_900));
    }

    #[test]
    fn what_is_silent_for_hours_is_forgotten() {
        let mut book = Book::default();
        let listener = book.take_over(START);
        book.hear(listener, &message("a", News::Begun), START);
        book.hear(listener, &message("b", News::Begun), START + Duration::from_mins(90));
        book.hear(listener, &message("b", News::Lives), START + Duration::from_mins(125));
        assert_eq!(book.allocations.keys().collect::<Vec<_>>(), ["b"]);
    }

    /// What an allocation carried between two of coturn's messages, and whether the second one was heard.
    fn parts() -> impl Strategy<Value = Vec<(u32, u32, bool)>> {
        let heard = (any::<u32>(), any::<u32>(), Just(true));
        // What is not heard has to stay below 4 GiB in all, or nobody can know.
        let lost = (0_u32..100_000_000, 0_u32..100_000_000, Just(false));
        prop::collection::vec(prop_oneof![heard, lost], 0..40)
    }

    proptest! {
        #[test]
        fn what_counts_in_the_end_is_what_was_carried(parts in parts(), wraps: bool) {
            let sum = |side: fn(&(u32, u32, bool)) -> u32| parts.iter().map(|part| u64::from(side(part))).sum::<u64>();
            let (received, sent) = (sum(|part| part.0), sum(|part| part.1));
            let said = |bytes: u64| if wraps { bytes % (1 << 32) } else { bytes };
            let mut news = vec![News::Begun];
            let heard = parts.iter().filter(|part| part.2);
            news.extend(heard.map(|part| News::Part(traffic(part.0.into(), part.1.into()))));
            let before_the_end: u64 = counted(&news);
            let heard: u64 = parts.iter().filter(|part| part.2).map(|part| u64::from(part.0) + u64::from(part.1)).sum();
            prop_assert_eq!(before_the_end, heard);
            news.push(News::Total(traffic(said(received), said(sent))));
            prop_assert_eq!(counted(&news), received + sent);
            // Said again it changes nothing.
            news.push(News::Total(traffic(said(received), said(sent))));
            prop_assert_eq!(counted(&news), received + sent);
        }

        #[test]
        fn many_allocations_do_not_disturb_each_other(order in prop::collection::vec(0_usize..5, 1..60)) {
            let mut book = Book::default();
            let listener = book.take_over(START);
            let mut expected = 0;
            let mut carried = [0_u64; 5];
            let names = ["a", "b", "c", "d", "e"];
            let mut sum = 0;
            let mut hear = |which: usize, news| sum += book.hear(listener, &message(names[which], news), START).unwrap().bytes.get();
            for which in 0..5 {
                hear(which, News::Begun);
            }
            for (turn, which) in order.into_iter().enumerate() {
                let part = u64::try_from(turn).unwrap() * 1_000 + 1;
                carried[which] += part;
                expected += part;
                // Every third is lost on the way.
                if turn % 3 != 0 {
                    hear(which, News::Part(traffic(part, 0)));
                }
            }
            for (which, carried) in carried.into_iter().enumerate() {
                hear(which, News::Total(traffic(carried, 0)));
            }
            prop_assert_eq!(sum, expected);
        }
    }
}
