//! Sends the orders of a schedule over many connections, on one thread.

use super::order::Orders;
use super::schedule::Schedule;
use super::tally::{Sent, Tally};
use super::wire::{self, Template};
use crate::exit::{Failure, Outcome};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long one connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long answers are waited for after the last order was due.
const DRAIN: Duration = Duration::from_secs(10);
/// The mark of the timer among the connections.
const TIMER: u64 = u64::MAX;
/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// A connection with at most one order under way.
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    under_way: Option<Sent>,
    dead: bool,
}

/// Makes the connections.
///
/// # Errors
/// [`Failure::Unreachable`].
pub fn connect(address: SocketAddr, connections: u32) -> Result<Vec<Connection>, Failure> {
    let one = || -> std::io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let (input, out) = (Vec::with_capacity(CHUNK), Vec::with_capacity(1_024));
        Ok(Connection { stream, input, out, written: 0, under_way: None, dead: false })
    };
    (0..connections).map(|_| one().map_err(|error| Failure::Unreachable(format!("{address}: {error}")))).collect()
}

/// Runs the schedule to its end.
///
/// # Errors
/// [`Failure::Unreachable`] where every connection was lost, [`Failure::Fault`] where the system refuses.
pub fn drive(connections: Vec<Connection>, template: &Template, orders: &Orders, schedule: &Schedule, tally: &mut Tally) -> Outcome {
    let fault = |error: std::io::Error| Failure::Fault(format!("the load generator: {error}"));
    let mut driver = Driver::new(connections, template, orders, schedule, tally).map_err(fault)?;
    let ended = driver.run();
    driver.count_the_rest();
    if ended.map_err(fault)? { Ok(()) } else { Err(Failure::Unreachable("every connection was lost".to_owned())) }
}

struct Driver<'r> {
    connections: Vec<Connection>,
    idle: Vec<usize>,
    alive: usize,
    epoll: OwnedFd,
    timer: OwnedFd,
    armed: Option<Duration>,
    template: &'r Template,
    orders: &'r Orders,
    schedule: &'r Schedule,
    tally: &'r mut Tally,
    began: Instant,
    next: u64,
    body: Vec<u8>,
    id: Vec<u8>,
    chunk: Box<[u8]>,
}

impl<'r> Driver<'r> {
    fn new(
        connections: Vec<Connection>,
        template: &'r Template,
        orders: &'r Orders,
        schedule: &'r Schedule,
        tally: &'r mut Tally,
    ) -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
        for (at, connection) in connections.iter().enumerate() {
            epoll::add(&epoll, &connection.stream, EventData::new_u64(at as u64), EventFlags::IN)?;
        }
        Ok(Self {
            idle: (0..connections.len()).rev().collect(),
            alive: connections.len(),
            connections,
            epoll,
            timer,
            armed: None,
            template,
            orders,
            schedule,
            tally,
            began: Instant::now(),
            next: 0,
            body: Vec::with_capacity(512),
            id: Vec::with_capacity(64),
            chunk: vec![0; CHUNK].into(),
        })
    }

    /// Whether the schedule came to its end with a connection left.
    fn run(&mut self) -> std::io::Result<bool> {
        let mut events = Vec::with_capacity(self.connections.len() + 1);
        loop {
            let waiting_for = self.send_due()?;
            if self.alive == 0 {
                return Ok(false);
            }
            let now = self.began.elapsed();
            let answered = self.idle.len() == self.alive;
            if (waiting_for.is_none() && answered) || now > self.schedule.end() + DRAIN {
                return Ok(true);
            }
            self.arm(waiting_for.filter(|_| !self.idle.is_empty()))?;
            // The bound is a look at the clock for a desk that says nothing any more.
            let bound = Timespec { tv_sec: 1, tv_nsec: 0 };
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&bound)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => (),
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                self.event(event.data.u64())?;
            }
        }
    }

    /// Sends what is due while a connection is free. When the next order is due; `None`: there is none.
    fn send_due(&mut self) -> std::io::Result<Option<Duration>> {
        loop {
            let now = self.began.elapsed();
            let Some(due) = self.schedule.due(self.next, now) else { return Ok(None) };
            if due > now {
                return Ok(Some(due));
            }
            let Some(at) = self.idle.pop() else { return Ok(Some(due)) };
            let sent = Sent { n: self.next, due, at: now, measured: self.schedule.is_measured(due) };
            self.next += 1;
            self.send(at, sent)?;
        }
    }

    fn send(&mut self, at: usize, sent: Sent) -> std::io::Result<()> {
        let Some(connection) = self.connections.get_mut(at) else { return Ok(()) };
        connection.out.clear();
        connection.written = 0;
        connection.under_way = Some(sent);
        self.template.write(self.orders, sent.n, &mut self.body, &mut connection.out);
        self.tally.sent(&sent);
        self.flush(at)
    }

    fn flush(&mut self, at: usize) -> std::io::Result<()> {
        let Some(connection) = self.connections.get_mut(at) else { return Ok(()) };
        let waited = connection.written > 0;
        while let Some(rest) = connection.out.get(connection.written..).filter(|rest| !rest.is_empty()) {
            match connection.stream.write(rest) {
                Ok(0) => return self.bury(at),
                Ok(written) => connection.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let both = EventFlags::IN | EventFlags::OUT;
                    return Ok(epoll::modify(&self.epoll, &connection.stream, EventData::new_u64(at as u64), both)?);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(_) => return self.bury(at),
            }
        }
        if waited {
            epoll::modify(&self.epoll, &connection.stream, EventData::new_u64(at as u64), EventFlags::IN)?;
        }
        Ok(())
    }

    fn event(&mut self, mark: u64) -> std::io::Result<()> {
        if mark == TIMER {
            let mut expirations = [0; 8];
            self.armed = None;
            return match rustix::io::read(&self.timer, &mut expirations) {
                Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let at = usize::try_from(mark).unwrap_or(usize::MAX);
        let Some(connection) = self.connections.get_mut(at) else { return Ok(()) };
        if connection.dead {
            return Ok(());
        }
        if connection.written < connection.out.len() {
            self.flush(at)?;
        }
        self.receive(at)
    }

    fn receive(&mut self, at: usize) -> std::io::Result<()> {
        let Some(connection) = self.connections.get_mut(at).filter(|connection| !connection.dead) else { return Ok(()) };
        match connection.stream.read(&mut self.chunk) {
            Ok(0) => return self.bury(at),
            Ok(read) => connection.input.extend_from_slice(self.chunk.get(..read).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(_) => return self.bury(at),
        }
        let done = self.began.elapsed();
        match (wire::parse(&connection.input), connection.under_way) {
            (Ok(None), _) => Ok(()),
            (Ok(Some(answer)), Some(sent)) => {
                let body = connection.input.get(answer.body..answer.end).unwrap_or_default();
                self.id.clear();
                self.orders.id(sent.n, &mut self.id);
                self.tally.answered(&sent, done, answer.status, &self.id, body)?;
                connection.under_way = None;
                connection.input.drain(..answer.end);
                self.idle.push(at);
                Ok(())
            }
            // An answer to nothing, or none at all.
            (Ok(Some(_)), None) | (Err(wire::Malformed), _) => self.bury(at),
        }
    }

    /// A connection is gone; what was under way on it is not known.
    fn bury(&mut self, at: usize) -> std::io::Result<()> {
        let Some(connection) = self.connections.get_mut(at).filter(|connection| !connection.dead) else { return Ok(()) };
        connection.dead = true;
        self.alive -= 1;
        self.idle.retain(|idle| *idle != at);
        if let Some(sent) = connection.under_way.take() {
            self.tally.lost(&sent);
        }
        Ok(epoll::delete(&self.epoll, &connection.stream)?)
    }

    /// Wakes the wait at `due`.
    fn arm(&mut self, due: Option<Duration>) -> std::io::Result<()> {
        let Some(due) = due.filter(|due| self.armed != Some(*due)) else { return Ok(()) };
        // A timer of nothing would never ring.
        let left = due.saturating_sub(self.began.elapsed()).max(Duration::from_nanos(1));
        let it_value = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: never, it_value })?;
        self.armed = Some(due);
        Ok(())
    }

    fn count_the_rest(&mut self) {
        for connection in &mut self.connections {
            if let Some(sent) = connection.under_way.take() {
                self.tally.lost(&sent);
            }
        }
        if let Some(planned) = self.schedule.planned() {
            self.tally.unsent(planned.saturating_sub(self.next));
        }
    }
}
