//! Small drawings beside words; never the only thing that says something.

use leptos::prelude::*;

/// Which drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A reel's frame with a plus.
    Film,
    /// Two sheets.
    Copy,
    /// A tick.
    Done,
    /// A speaker that sounds.
    Sound,
    /// Four corners.
    FullScreen,
    /// A door and an arrow.
    Leave,
    /// A turning arrow.
    Again,
}

/// One drawing of 24 by 24, in the colour of the text.
#[component]
pub fn Icon(
    /// Which.
    sign: Sign,
) -> impl IntoView {
    let path = match sign {
        Sign::Film => "M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4",
        Sign::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
        Sign::Done => "M5 12.5l4.5 4.5L19 7.5",
        Sign::Sound => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
        Sign::FullScreen => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
        Sign::Leave => "M14 4H5v16h9M10 12h10M16.5 8.5L20 12l-3.5 3.5",
        Sign::Again => "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
    };
    view! {
        <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
            <path d=path />
        </svg>
    }
}
