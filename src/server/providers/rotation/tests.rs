//! Keys change against a stand-in and a real relay.
