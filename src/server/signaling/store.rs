//! The sessions on disk, so that a restart ends none of them: one row a session, in a file of its own.
//!
//! One thread writes. What changes is written at once, and only the newest state of each session: whatever piles up while
//! the disk is busy goes into one transaction. A session that is over is deleted, and what it held is overwritten. Knows
//! nothing of what a session is made of. Not fsynced on each write: what a crash of this process leaves is whole, and after
//! a power cut a state of moments before.

use super::session::Saved;
use crate::domain::SessionCode;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The file within the data directory.
const FILE: &str = "sessions.db";

/// The layout of the file and of what is in it.
const LAYOUT: u32 = 1;

/// How long to wait for another process that reads or copies the file.
const BUSY: Duration = Duration::from_secs(5);

/// After a write that failed.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Why sessions cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or the file cannot be used.
    #[error(
        "cannot write the sessions' file {path}: {cause}. Make the directory and the file writable for the user that runs \
         Tessro, or set DATA_DIR to a directory that is"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The system gives no thread.
    #[error("cannot start the thread that writes the sessions: {0}")]
    Thread(std::io::Error),
}

/// Keeps sessions. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// The newest state of each session that is not written yet; `None`: it is over.
    changes: BTreeMap<SessionCode, Option<Saved>>,
    stopping: bool,
}

impl Store {
    /// Opens the file in a directory, creating both where they are missing, and gives the sessions in it.
    pub(super) fn open(data_dir: &Path) -> Result<(Self, Vec<Saved>), StoreError> {
        let path = data_dir.join(FILE);
        let failed = |cause: String| StoreError::File { path: path.clone(), cause };
        std::fs::create_dir_all(data_dir).map_err(|cause| failed(cause.to_string()))?;
        let (database, saved) = read(&path).map_err(|cause| failed(cause.to_string()))?;
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sessions".to_owned()).spawn(move || writer.run(database));
        let thread = Mutex::new(Some(thread.map_err(StoreError::Thread)?));
        Ok((Self(Arc::new(Inner { shared, thread })), saved))
    }

    /// Writes the session down, soon.
    pub(super) fn keep(&self, code: SessionCode, saved: Saved) {
        self.0.shared.change(code, Some(saved));
    }

    /// Deletes the session, soon.
    pub(super) fn forget(&self, code: SessionCode) {
        self.0.shared.change(code, None);
    }

    /// Writes everything that waits and stops the thread. Needs a tokio runtime, which it does not block.
    pub(super) async fn close(&self) {
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        self.0.shared.stop();
        if !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
            tracing::error!("the thread that writes the sessions ended by a panic");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, code: SessionCode, saved: Option<Saved>) {
        self.lock().changes.insert(code, saved);
        self.news.notify_one();
    }

    fn stop(&self) {
        self.lock().stopping = true;
        self.news.notify_one();
    }

    fn run(&self, mut database: Connection) {
        let mut failing = false;
        loop {
            let (changes, stopping) = self.wait();
            match write(&mut database, &changes) {
                Ok(()) if std::mem::take(&mut failing) => tracing::info!("sessions can be written again"),
                Ok(()) => {}
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(
                            %error,
                            "sessions cannot be written; they go on, but a restart would end them. Check that DATA_DIR is \
                             writable and its disk is not full"
                        );
                    }
                    if !stopping {
                        self.again(changes);
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    fn wait(&self) -> (BTreeMap<SessionCode, Option<Saved>>, bool) {
        let idle = |pending: &mut Pending| pending.changes.is_empty() && !pending.stopping;
        let mut pending = self.news.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut pending.changes), pending.stopping)
    }

    /// Puts back what could not be written, where nothing newer has come, and waits a while.
    fn again(&self, changes: BTreeMap<SessionCode, Option<Saved>>) {
        let mut pending = self.lock();
        for (code, saved) in changes {
            pending.changes.entry(code).or_insert(saved);
        }
        let stopping = |pending: &mut Pending| !pending.stopping;
        drop(self.news.wait_timeout_while(pending, TRY_AGAIN, stopping));
    }
}

fn read(path: &Path) -> Result<(Connection, Vec<Saved>), rusqlite::Error> {
    let database = Connection::open(path)?;
    database.busy_timeout(BUSY)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "normal")?;
    database.pragma_update(None, "secure_delete", true)?;
    let layout: u32 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout != 0 && layout != LAYOUT {
        // Whatever another version kept cannot be gone on with, and people can create their session anew.
        tracing::warn!("The sessions of another version of Tessro cannot be read and are over");
        database.execute_batch("DROP TABLE IF EXISTS session")?;
    }
    database.execute_batch("CREATE TABLE IF NOT EXISTS session (code TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT")?;
    database.pragma_update(None, "user_version", LAYOUT)?;
    let mut saved = Vec::new();
    let mut rows = database.prepare("SELECT state FROM session ORDER BY code")?;
    for state in rows.query_map([], |row| row.get::<_, String>(0))? {
        match serde_json::from_str(&state?) {
            Ok(session) => saved.push(session),
            Err(error) => tracing::warn!(line = error.line(), "A session on disk cannot be read and is over"),
        }
    }
    drop(rows);
    Ok((database, saved))
}

fn write(database: &mut Connection, changes: &BTreeMap<SessionCode, Option<Saved>>) -> Result<(), rusqlite::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let transaction = database.transaction()?;
    let mut deleted = false;
    for (code, saved) in changes {
        let state = saved.as_ref().and_then(|saved| serde_json::to_string(saved).ok());
        if let Some(state) = state {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO session (code, state) VALUES (?1, ?2)")?
                .execute(params![code.to_string(), state])?;
        } else {
            deleted = true;
            transaction.prepare_cached("DELETE FROM session WHERE code = ?1")?.execute([code.to_string()])?;
        }
    }
    transaction.commit()?;
    if deleted {
        // The log holds what was written before; a reader elsewhere may keep it for a while.
        database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
