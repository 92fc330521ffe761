//! What other machines told of their months, beside this one's own evidence and never part of it.

use super::super::month::Month;
use super::super::several::Figures;
use super::Ledger;
use super::rows::{loaded, parsed, stored};
use crate::server::cluster::NodeName;
use rusqlite::{TransactionBehavior, params};
use std::collections::BTreeMap;

impl Ledger {
    /// What was heard of others of a month.
    pub(in super::super) fn others(&self, month: Month) -> Result<BTreeMap<NodeName, Figures>, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT node, figure, value FROM other_node WHERE month = ?1")?;
        let mut rows = rows.query([month.to_string()])?;
        let mut others = BTreeMap::<NodeName, Figures>::new();
        while let Some(row) = rows.next()? {
            // What a later version tells is not known to this one.
            let Ok(figure) = row.get::<_, String>(1)?.parse() else { continue };
            others.entry(parsed(0, row)?).or_default().insert(figure, loaded(row.get(2)?));
        }
        Ok(others)
    }

    /// Writes down what was heard of others.
    pub(in super::super) fn write_others(
        &mut self,
        month: Month,
        others: &BTreeMap<NodeName, Figures>,
    ) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (node, figures) in others {
            for (figure, value) in figures {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO other_node VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![month.to_string(), node.to_string(), figure.to_string(), stored(*value)])?;
            }
        }
        transaction.commit()
    }
}
