//! A list whose rows come and go all evening.

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use leptos::tachys::view::keyed::{SerializableKey, keyed};
use std::hash::Hash;

/// One row for each item, kept as long as there is an item with its key: `For`, for lists that never end.
///
/// The owner of a row of `For` leaves its allocation with the list, 76 bytes, also when the row is gone. Here it belongs to
/// the row alone. So rows find no context: what they need is handed to them.
#[component]
pub fn Each<Items, Item, Key, Row>(
    /// What there is now.
    each: impl Fn() -> Items + Send + 'static,
    /// What tells an item from the others, whatever else of it changes.
    key: impl Fn(&Item) -> Key + Clone + Send + 'static,
    /// What is shown of a new one.
    children: impl Fn(Item) -> Row + Clone + Send + 'static,
) -> impl IntoView
where
    Items: IntoIterator<Item = Item> + Send + 'static,
    Item: Send + 'static,
    Key: Eq + Hash + SerializableKey + 'static,
    Row: IntoView + 'static,
{
    let list = Owner::current().unwrap_or_default();
    // A server shows a list once, and keeps signals in an arena of the request, which a root would not share.
    let lasts = Owner::current_shared_context().is_some_and(|context| context.is_browser());
    let row = move |_, item| {
        // A root makes itself the current owner, so what was current before is put around it.
        let owner = list.with(|| if lasts { Owner::new_root(None) } else { Owner::new() });
        let view = owner.with(|| children(item));
        (drop, OwnedView::new_with_owner(view, owner))
    };
    move || keyed(each(), key.clone(), row.clone())
}
