//! What the variables of one provider are called: those of `cloudflare:eu` end in `_EU`.

use crate::domain::ProviderName;
use std::ffi::OsString;

/// The ending of a variable that names a secret's file.
const FILE: &str = "_FILE";

/// What the variable of this provider is called that is called `plain` where there is one of a kind.
pub fn variable_of(name: &ProviderName, plain: &str) -> String {
    Naming::of(name.label()).variable(plain)
}

/// The names of one configured provider's variables. The default is that of a provider without a label.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Naming<'a> {
    label: Option<&'a str>,
}

impl<'a> Naming<'a> {
    pub(super) fn of(label: Option<&'a str>) -> Self {
        Self { label }
    }

    /// The name for what is called `plain` without a label.
    pub(super) fn variable(self, plain: &str) -> String {
        match self.label {
            Some(label) => format!("{plain}_{}", label.to_ascii_uppercase()),
            None => plain.to_owned(),
        }
    }

    /// The value of what is called `plain` without a label; empty is unset unless it may be empty. Of a secret's file both
    /// endings can be read either way: `.._FILE_EU`, `.._EU_FILE`.
    pub(super) fn look_up(
        self,
        plain: &str,
        variables: &impl Fn(&str) -> Option<OsString>,
        may_be_empty: bool,
    ) -> Option<OsString> {
        let read = |variable: String| variables(&variable).filter(|value| may_be_empty || !value.is_empty());
        read(self.variable(plain)).or_else(|| {
            let secret = plain.strip_suffix(FILE).filter(|_| self.label.is_some())?;
            read(self.variable(secret) + FILE)
        })
    }
}
