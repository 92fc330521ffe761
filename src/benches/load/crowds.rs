//! What a crowd costs each server, how fast it is introduced, and how it comes back.

use super::{
    Failure,
    neighbours::{AtMatchbox, AtPeerJs, AtSocketIo},
    print,
    servers::{Kind, Server, neighbours},
};
use std::time::Duration;
use tessro::server::loadgen::{Crowd, Fared, Joins, Participant, Person, Talk, enough_files};
use tokio::time::sleep;

/// What memory is given back to the system, or not, is settled then.
const SETTLE: Duration = Duration::from_secs(5);

/// Sessions that come in at once.
const AT_ONCE: usize = 32;

/// How fast people can come in, and not how fast they may.
const AT_ANY_PACE: &[(&str, &str)] = &[("RATE_LIMIT_ENTRIES", "off")];

const PAIRS: u64 = 1_000;
/// Sessions of eight: 10,000 people.
const EIGHTS: u64 = 1_250;
const GUESTS_OF_EIGHT: u64 = 7;

const TALK_FOR: Duration = Duration::from_secs(8);

/// Offers a second of each pair, and the size of each. At twenty nobody has a rest, and what a message costs is no longer what it costs
/// to be woken for it.
const TALKS: [(u32, usize); 5] = [(1, 1_200), (5, 1_200), (20, 1_200), (1, 7_000), (5, 7_000)];

fn everybody() -> Vec<Kind> {
    let others = [Kind::SocketIo, Kind::PeerJs, Kind::Matchbox];
    std::iter::once(Kind::Tessro).chain(others.into_iter().filter(|_| neighbours().is_some())).collect()
}

async fn pairs(server: &Server, kind: Kind) -> Result<(Crowd, Joins), Failure> {
    let (to, size) = (server.address, (PAIRS, 1));
    Ok(match kind {
        Kind::Tessro => Crowd::gather::<Participant>(to, size, AT_ONCE).await?,
        Kind::SocketIo => Crowd::gather::<AtSocketIo>(to, size, AT_ONCE).await?,
        Kind::PeerJs => Crowd::gather::<AtPeerJs>(to, size, AT_ONCE).await?,
        Kind::Matchbox => Crowd::gather::<AtMatchbox>(to, size, AT_ONCE).await?,
        Kind::Empty => return Err("nobody can be there".into()),
    })
}

async fn eights<P: Person>(server: &Server) -> Result<(Crowd, Joins), Failure> {
    Ok(Crowd::gather::<P>(server.address, (EIGHTS, GUESTS_OF_EIGHT), AT_ONCE).await?)
}

pub(super) async fn idle() -> Result<(), Failure> {
    enough_files(EIGHTS * (1 + GUESTS_OF_EIGHT))?;
    print(
        "\n| people who are there and say nothing | joins/s | CPU ms each, to come in | resident | PSS | each, over an empty server |",
    )?;
    print("|---|---|---|---|---|---|")?;
    let server = Server::start_with(Kind::Tessro, AT_ANY_PACE)?;
    cost(&server, "Tessro, 10,000, eight to a session", eights::<Participant>(&server)).await?;
    for kind in everybody() {
        let server = Server::start_with(kind, AT_ANY_PACE)?;
        cost(&server, &format!("{}, 2,000 in pairs", kind.name()), pairs(&server, kind)).await?;
    }
    Ok(())
}

async fn cost(
    server: &Server,
    name: &str,
    coming: impl Future<Output = Result<(Crowd, Joins), Failure>>,
) -> Result<(), Failure> {
    let process = server.process();
    sleep(Duration::from_secs(1)).await;
    let (empty, cpu) = (process.memory()?, process.cpu()?);
    let (crowd, joins) = coming.await?;
    let cpu = process.cpu()?.saturating_sub(cpu).as_secs_f64();
    sleep(SETTLE).await;
    let full = process.memory()?;
    let people = crowd.people();
    if crowd.inside() != people {
        return Err(format!("{name}: {} of {people} are inside", crowd.inside()).into());
    }
    let each = float(full.rss.saturating_sub(empty.rss)) / float(people) / 1024.0;
    let [rss, pss] = [full.rss, full.pss].map(|bytes| float(bytes) / 1e6);
    let (pace, cpu) = (float(people) / joins.seconds, cpu * 1e3 / float(people));
    print(&format!("| {name} | {pace:.0} | {cpu:.2} | {rss:.1} MB | {pss:.1} MB | {each:.1} KiB |"))?;
    crowd.disperse().await;
    Ok(())
}

pub(super) async fn talk() -> Result<(), Failure> {
    print(
        "\n| 1,000 pairs, host to guest | offers/s, size | arrived | p50 ms | p99 ms | p99.9 ms | CPU s | messages per CPU second |",
    )?;
    print("|---|---|---|---|---|---|---|---|")?;
    for kind in everybody() {
        let server = Server::start(kind)?;
        let (crowd, _) = pairs(&server, kind).await?;
        // What only the first messages cost is not what they cost.
        crowd.talk(offers(1, 1_200), Duration::from_secs(2)).await;
        for (a_second, bytes) in TALKS {
            let before = server.process().cpu()?;
            let fared = crowd.talk(offers(a_second, bytes), TALK_FOR).await;
            let cpu = server.process().cpu()?.saturating_sub(before).as_secs_f64();
            let fared = fared.get("offers").ok_or("nobody said anything")?;
            let Fared { due, arrived, p50_us, p99_us, p999_us, .. } = *fared;
            let [p50, p99, p999] = [p50_us, p99_us, p999_us].map(|us| float(us) / 1e3);
            let [name, each] =
                [kind.name().to_owned(), format!("{a_second}, {:.1} kB", float(u64::try_from(bytes)?) / 1e3)];
            let per_cpu = float(arrived) / cpu;
            print(&format!(
                "| {name} | {each} | {arrived} of {due} | {p50:.2} | {p99:.2} | {p999:.2} | {cpu:.2} | {per_cpu:.0} |"
            ))?;
        }
        crowd.disperse().await;
    }
    Ok(())
}

fn offers(a_second: u32, sdp_bytes: usize) -> Talk {
    Talk { offer_every: Some(Duration::from_secs(1) / a_second), sdp_bytes, ..Talk::default() }
}

pub(super) async fn restart() -> Result<(), Failure> {
    enough_files(EIGHTS * (1 + GUESTS_OF_EIGHT))?;
    let mut server = Server::start(Kind::Tessro)?;
    let (crowd, _) = eights::<Participant>(&server).await?;
    let people = crowd.people();

    print("\n| 10,000 people in sessions of eight | back | the first | half | the last |")?;
    print("|---|---|---|---|---|")?;
    let begun = crowd.now();
    crowd.brace();
    let server =
        tokio::task::spawn_blocking(move || server.restart().map_err(|error| error.to_string()).map(|()| server))
            .await??;
    let away = crowd.now().since(begun);
    let back = crowd.back(begun + away, people).await;
    let ms = |ms: u64| format!("{:.1} s", float(ms) / 1e3);
    print(&format!(
        "| the server started anew, and listened again {:.1} s after it was told to stop; times from then | {} of {people} | {} | {} | {} |",
        away.as_secs_f64(),
        back.back,
        ms(back.first_ms),
        ms(back.half_ms),
        ms(back.all_ms)
    ))?;

    let calm = crowd.talk(offers(1, 1_200), Duration::from_secs(3)).await;
    let before = server.process().cpu()?;
    let (storm, meanwhile) = crowd.storm(Some(2), offers(1, 1_200)).await;
    let cpu = server.process().cpu()?.saturating_sub(before).as_secs_f64();
    print(&format!(
        "| every other session loses its lines at once ({cpu:.1} s of processor time) | {} of {} | {} | {} | {} |",
        storm.back,
        storm.people,
        ms(storm.first_ms),
        ms(storm.half_ms),
        ms(storm.all_ms)
    ))?;
    print(
        "\n| offers to those who are inside, one a second each | arrived | p50 ms | p99 ms | p99.9 ms | the longest |",
    )?;
    print("|---|---|---|---|---|---|")?;
    for (when, fared) in
        [("while nothing happens, 8,750 guests", &calm), ("while 5,000 others come back, 4,375 guests", &meanwhile)]
    {
        let fared = fared.get("offers").ok_or("nobody said anything")?;
        let [p50, p99, p999, most] =
            [fared.p50_us, fared.p99_us, fared.p999_us, fared.most_us].map(|us| float(us) / 1e3);
        print(&format!(
            "| {when} | {} of {} | {p50:.2} | {p99:.2} | {p999:.2} | {most:.0} ms |",
            fared.arrived, fared.due
        ))?;
    }
    for (why, times) in crowd.refusals() {
        print(&format!("\nRefused {times} times: {why}"))?;
    }
    crowd.disperse().await;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn float(figure: u64) -> f64 {
    figure as f64
}
