//! A run over real sockets: a venue that goes on by itself, a proxy that spoils what it sends, and the real
//! feed with two shards behind it.
//!
//! `FORETICK_BATTERY_SEEDS=7..20` runs these seeds instead of the usual one. What fails says its seed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use foretick::clock;
use foretick::decode::venue::{BookProof, Proof};
use foretick::source::conflation::Conflation;
use foretick::source::ring::{Receiver, ring};
use foretick::source::snapshot_requests::{SnapshotRequests, snapshot_requests};
use foretick::source::status::FeedStatus;
use foretick::source::websocket::{self, WebsocketError, WebsocketSettings};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::cases::{Case, VENUES};
use crate::client::ROW;
use crate::given::Folder;
use crate::judge::{Judge, Tally};
use crate::numerals::START;
use crate::proxy::FAULTS;
use crate::relay::{self, Faults, SharedFaults};
use crate::world::{self, Shared, World};

/// A venue, a proxy, and a run that is connected to it.
pub(crate) struct Run {
    runtime: Runtime,
    pub(crate) world: Shared,
    pub(crate) faults: SharedFaults,
    pub(crate) status: Arc<FeedStatus>,
    tally: Arc<Mutex<Tally>>,
    shards: Vec<JoinHandle<Judge>>,
    is_over: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    feed: tokio::task::JoinHandle<Result<(), WebsocketError>>,
    pub(crate) proof: Proof,
    what: String,
}

impl Run {
    pub(crate) fn start(
        case: Case,
        seed: u64,
        change: impl FnOnce(&mut WebsocketSettings),
    ) -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let folder = Folder::new(&format!("venues-{:?}", std::thread::current().id()));
        let venues = case.pipeline(&folder, ROW).venues();
        let venue = venues.named(case.venue);
        let venue = venue.expect("it is registered, or described");
        let world = World::new(case, seed, venue);
        let faults = Arc::new(Mutex::new(Faults::none(seed, venue.proof().book)));
        let [server, proxy, rest] = [0; 3].map(|_| {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
            listener.expect("a free port")
        });
        let address = |listener: &TcpListener| listener.local_addr().expect("it listens");
        // One that is described says in its messages what it subscribes to.
        let streams = match case.description.is_empty() {
            true => case.streams.map(str::to_owned).to_vec(),
            false => venue
                .usual_streams()
                .iter()
                .map(|&one| one.to_owned())
                .collect(),
        };
        let mut settings = WebsocketSettings {
            url: format!("ws://{}", address(&proxy)),
            symbols: case.symbols.map(str::to_owned).into(),
            streams,
            rest: Some(format!("http://{}", address(&rest))),
            backoff_min: Duration::from_millis(20),
            backoff_max: Duration::from_millis(200),
            attempts_max: 100_000,
            weight_max: 1_000_000,
            ..WebsocketSettings::new(venue)
        };
        change(&mut settings);
        let venue_at = address(&server);
        runtime.spawn(world::serve(Arc::clone(&world), server));
        runtime.spawn(world::serve_rest(Arc::clone(&world), rest));
        let (both, spoilt) = (Arc::clone(&world), Arc::clone(&faults));
        runtime.spawn(relay::relay(both, spoilt, proxy, venue_at));
        runtime.spawn(world::go_on(Arc::clone(&world), STEPS));

        let status = Arc::new(FeedStatus::default());
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..2).map(|_| ring(1 << 15)).unzip();
        let out = Conflation::new(venue, senders, &settings.symbols, Arc::clone(&status));
        let (reports, reported) = snapshot_requests();
        let (stop, stopped) = watch::channel(false);
        let feed = websocket::run(settings, out, reported, Arc::clone(&status), stopped);
        let mut run = Self {
            feed: runtime.spawn(feed),
            runtime,
            world,
            faults,
            status,
            tally: Arc::default(),
            shards: vec![],
            is_over: Arc::default(),
            stop,
            proof: venue.proof(),
            what: format!("{} seed {seed}", case.venue),
        };
        for ring in receivers {
            let shard = run.shard(case, ring, reports.clone());
            run.shards.push(shard);
        }
        run
    }

    fn shard(&self, case: Case, ring: Receiver, reports: SnapshotRequests) -> JoinHandle<Judge> {
        let (world, faults) = (Arc::clone(&self.world), Arc::clone(&self.faults));
        let (tally, is_over) = (Arc::clone(&self.tally), Arc::clone(&self.is_over));
        let what = self.what.clone();
        std::thread::spawn(move || {
            let mut judge = Judge::new(case, world, faults, tally, what);
            work(&mut judge, &ring, &reports, &is_over);
            judge
        })
    }

    fn tally(&self) -> Tally {
        *self.tally.lock().expect("no holder panics")
    }

    /// Waits until both symbols have so many more signals that are `ok` and true.
    pub(crate) fn wait_for_ok(&self, more: u64) {
        let before = self.tally().ok;
        self.wait("ok signals", |run| {
            let now = run.tally().ok;
            (0..2).all(|symbol| now[symbol] >= before[symbol] + more)
        });
    }

    /// Waits until so many more messages have come to the proxy.
    pub(crate) fn wait_for_messages(&self, more: u64) {
        let until = relay::lock(&self.faults).passed + more;
        self.wait("messages", |run| relay::lock(&run.faults).passed >= until);
    }

    pub(crate) fn wait(&self, what: &str, happened: impl Fn(&Self) -> bool) {
        let began = clock::instant();
        while !happened(self) {
            let is_at_work = self.shards.iter().all(|shard| !shard.is_finished());
            assert!(is_at_work, "a shard has failed, see above: {}", self.what);
            let (all, tally) = (&self.what, self.tally());
            assert!(began.elapsed() < PATIENCE, "no {what}: {all} {tally:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the run, and adds up.
    pub(crate) fn end(self) -> Tally {
        world::lock(&self.world).end();
        self.stop.send(true).expect("the feed runs");
        let ended = self.runtime.block_on(self.feed).expect("no panic");
        ended.expect("nothing is refused");
        self.is_over.store(true, Ordering::Relaxed);
        for shard in self.shards {
            shard.join().expect("what it saw is as it should be").end();
        }
        assert_eq!(self.status.unexplained(), 0, "{}", self.what);
        *self.tally.lock().expect("no holder panics")
    }

    /// Lets so many messages through with faults, and then goes on until the books are whole.
    pub(crate) fn run(mut self, messages: u64, spoil: impl Fn(&mut Faults)) -> Tally {
        self.wait_for_ok(5);
        spoil(&mut relay::lock(&self.faults));
        self.what += &format!(" rate {}", relay::lock(&self.faults).rate);
        world::lock(&self.world).refuses = relay::lock(&self.faults).rate;
        self.wait_for_messages(messages);
        let faults = relay::lock(&self.faults).end();
        world::lock(&self.world).refuses = 0.0;
        self.wait_for_ok(20);
        let what = self.what.clone();
        let tally = Tally {
            faults,
            ..self.end()
        };
        println!("{what}: {tally:?}");
        tally
    }
}

impl Faults {
    fn none(seed: u64, proof: BookProof) -> Self {
        Self {
            seed,
            rate: 0.0,
            faults: FAULTS.to_vec(),
            cut_rate: 0.0,
            cuts: vec![],
            connections: 0,
            done: 0,
            passed: 0,
            closes: 0,
            digits: Default::default(),
            proof,
        }
    }

    /// No more of them. Returns how many there were.
    fn end(&mut self) -> u64 {
        (self.rate, self.cut_rate) = (0.0, 0.0);
        self.done
    }
}

/// What the thread of a shard does in a live run.
fn work(judge: &mut Judge, ring: &Receiver, reports: &SnapshotRequests, is_over: &AtomicBool) {
    let mut frames = vec![];
    let mut ticked: Instant = clock::instant();
    loop {
        let was_over = is_over.load(Ordering::Relaxed);
        frames.clear();
        ring.drain(&mut frames, 64, Duration::from_millis(10));
        frames.iter().for_each(|frame| judge.take(frame));
        if ticked.elapsed() > Duration::from_millis(100) {
            ticked = clock::instant();
            judge.tick(clock::now().0 / 1_000_000 - START);
        }
        for symbol in judge.client.wanted() {
            reports.request(judge.client.name(symbol));
        }
        for symbol in judge.client.whole() {
            reports.spliced(judge.client.name(symbol));
        }
        if frames.is_empty() && was_over {
            return;
        }
    }
}

/// Applies a test to every venue, with each of some faults, all at the same time.
pub(crate) fn for_every_venue<T: Copy + Send + Sync>(
    each: &[T],
    test: impl Fn(Case, u64, T) + Sync,
) {
    for_each(&VENUES, each, test);
}

/// Applies a test to some venues in the same way.
pub(crate) fn for_each<T: Copy + Send + Sync>(
    cases: &[Case],
    each: &[T],
    test: impl Fn(Case, u64, T) + Sync,
) {
    for seed in seeds() {
        std::thread::scope(|scope| {
            let test = &test;
            for &case in cases {
                for &one in each {
                    scope.spawn(move || test(case, seed, one));
                }
            }
        });
    }
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("FORETICK_BATTERY_SEEDS") else {
        return 1..2;
    };
    let (from, to) = text.split_once("..").expect("FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

/// Steps of the market every five milliseconds.
const STEPS: u32 = 5;
/// Reached only where the event never comes.
const PATIENCE: Duration = crate::given::PATIENCE;
