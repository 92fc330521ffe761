//! What a browser decides, written without a browser: sans-IO cores that take inputs and the time, and give outputs.
//!
//! Refuses to know `web_sys`, Leptos, clocks and randomness: they are passed in. `browser` carries the outputs out.

mod view;

pub use view::{
    FilmProblem, FilmView, IceView, LinkView, Person, Phase, Picture, Problem, Profile, SessionAction, SessionView,
};
