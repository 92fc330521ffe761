//! Which of several relays of a kind is the nearest to a caller.
//!
//! The operator's order of kinds stands; only who shares a kind changes places among themselves: first those whose round trip
//! the caller's own browser measured, from the shortest; then those of the region that a proxy says the caller is in; then
//! the rest as they were set. Whose relay has just fallen silent for the caller stands behind everybody, of whatever kind. Pure; a caller can say what it wants and changes nothing but its own relay.

use crate::domain::ProviderName;
use std::collections::{BTreeMap, BTreeSet};

/// What a browser may tell of round trips; more than this is not looked at.
const MOST_MEASURED: usize = 16;

/// Round trips that differ by less are the same: nobody is to be sent to and fro.
const ALIKE_MS: u32 = 10;

/// The longest round trip that is believed.
const LONGEST_MS: u32 = 60_000;

/// Where a caller is, as far as anybody knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Near {
    /// The word that a proxy has for its region, such as `DE` or `fra`.
    pub region: Option<String>,
    round_trips: BTreeMap<ProviderName, u32>,
    /// Whose relay the caller hears nothing of any more.
    pub silent: Option<ProviderName>,
}

impl Near {
    /// A caller in this region, whose browser measured these round trips: names and milliseconds with commas between them, as
    /// in `coturn:fra=23,coturn:nyc=110`. What cannot be read is left out.
    pub fn new(region: Option<&str>, round_trips: Option<&str>) -> Self {
        let read = |part: &str| {
            let (name, millis) = part.split_once('=')?;
            let millis = millis.trim().parse().ok().filter(|millis| *millis <= LONGEST_MS)?;
            Some((name.trim().parse().ok()?, millis))
        };
        let parts = round_trips.unwrap_or_default().split(',').take(MOST_MEASURED);
        let region = region.map(str::trim).filter(|region| !region.is_empty()).map(str::to_ascii_lowercase);
        Self { region, round_trips: parts.filter_map(read).collect(), silent: None }
    }
}

/// What the operator says of regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions(BTreeMap<String, BTreeSet<String>>);

impl Regions {
    /// Reads labels and the proxy's words for their regions, as in `eu=DE FR PL,us=US CA`. Fails with the part that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut regions = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (label, words) = part.split_once('=').ok_or(part)?;
            let label = label.trim().to_ascii_lowercase();
            let words: BTreeSet<_> = words.split_whitespace().map(str::to_ascii_lowercase).collect();
            if label.is_empty() || words.is_empty() {
                return Err(part.to_owned());
            }
            regions.entry(label).or_insert_with(BTreeSet::new).extend(words);
        }
        Ok(Self(regions))
    }

    /// The order in which this caller's relays are asked for: places in `names`, each once.
    pub fn order(&self, names: &[&ProviderName], near: &Near) -> Vec<usize> {
        let mut order: Vec<_> = (0..names.len()).collect();
        for place in 0..names.len() {
            let alike = |other: &usize| names[*other].kind() == names[place].kind();
            let places: Vec<_> = (0..names.len()).filter(alike).collect();
            if places.len() < 2 || places[0] != place {
                continue;
            }
            let mut nearest = places.clone();
            nearest.sort_by_key(|place| self.distance(names[*place], near));
            for (place, nearer) in places.into_iter().zip(nearest) {
                order[place] = nearer;
            }
        }
        order.sort_by_key(|place| near.silent.as_ref() == Some(names[*place]));
        order
    }

    /// Smaller is nearer.
    fn distance(&self, name: &ProviderName, near: &Near) -> (u32, bool) {
        let round_trip = near.round_trips.get(name).map_or(u32::MAX, |millis| millis / ALIKE_MS);
        (round_trip, !self.is_in(name, near))
    }

    fn is_in(&self, name: &ProviderName, near: &Near) -> bool {
        let (Some(label), Some(region)) = (name.label(), &near.region) else { return false };
        label == region || self.0.get(label).is_some_and(|words| words.contains(region))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(names: &[&str], regions: &str, region: Option<&str>, round_trips: Option<&str>) -> Vec<usize> {
        let names: Vec<ProviderName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let names: Vec<_> = names.iter().collect();
        Regions::parse(regions).unwrap().order(&names, &Near::new(region, round_trips))
    }

    const LINE: [&str; 4] = ["cloudflare", "coturn:fra", "coturn:nyc", "coturn:sgp"];

    #[test]
    fn without_a_word_the_operator_s_order_stands() {
        assert_eq!(order(&LINE, "", None, None), [0, 1, 2, 3]);
        assert_eq!(order(&LINE, "", Some("Mars"), Some("static=1,nonsense")), [0, 1, 2, 3]);
    }

    #[test]
    fn the_region_s_own_comes_before_others_of_its_kind() {
        assert_eq!(order(&LINE, "", Some("NYC"), None), [0, 2, 1, 3]);
        let regions = "fra=DE FR,nyc=US CA,sgp=sg jp";
        assert_eq!(order(&LINE, regions, Some("JP"), None), [0, 3, 1, 2]);
        assert_eq!(order(&["coturn:us", "cloudflare", "coturn:eu"], "eu=DE", Some("de"), None), [2, 1, 0]);
    }

    #[test]
    fn what_the_browser_measured_counts_more_than_the_region() {
        let measured = "coturn:fra=120, coturn:nyc=80, coturn:sgp=9";
        assert_eq!(order(&LINE, "", Some("fra"), Some(measured)), [0, 3, 2, 1]);
        assert_eq!(order(&LINE, "", Some("nyc"), Some("coturn:fra=21,coturn:nyc=24")), [0, 2, 1, 3], "alike");
        assert_eq!(order(&LINE, "", None, Some("coturn:nyc=5")), [0, 2, 1, 3], "measured before unknown");
    }

    #[test]
    fn whose_relay_is_silent_is_asked_last() {
        let names: Vec<ProviderName> = LINE.iter().map(|name| name.parse().unwrap()).collect();
        let names: Vec<_> = names.iter().collect();
        let order = |silent: &str| {
            let near = Near { silent: silent.parse().ok(), ..Near::new(Some("nyc"), None) };
            Regions::default().order(&names, &near)
        };
        assert_eq!(order("cloudflare"), [2, 1, 3, 0]);
        assert_eq!(order("coturn:nyc"), [0, 1, 3, 2]);
        assert_eq!(order("twilio"), [0, 2, 1, 3], "nobody of the line");
    }

    #[test]
    fn a_region_without_a_word_is_refused() {
        for wrong in ["eu", "eu=", "=DE", "eu=DE,us"] {
            assert!(Regions::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn everyone_is_asked_once_and_kinds_keep_their_places(
            picked in prop::collection::vec(0_usize..8, 0..8),
            region in "\\PC{0,4}",
            measured in "([a-z:=,0-9]|coturn:a=|coturn:b=|static:a=){0,20}",
        ) {
            let all = ["coturn:a", "coturn:b", "coturn:c", "static:a", "static:b", "cloudflare", "xirsys:a", "xirsys:b"];
            let names: Vec<ProviderName> = picked.iter().map(|place| all[*place].parse().unwrap()).collect();
            let names: Vec<_> = names.iter().collect();
            let order = Regions::parse("a=x y").unwrap().order(&names, &Near::new(Some(&region), Some(&measured)));
            prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), (0..names.len()).collect());
            for (place, asked) in order.iter().enumerate() {
                prop_assert_eq!(names[place].kind(), names[*asked].kind());
            }
        }
    }
}
