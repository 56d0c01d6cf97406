//! Steps in words, for a failed search.

use super::{
    protocol::{Op, Response},
    world::{Sent, Step, World},
};

impl World {
    /// A step in words, for a failed search.
    pub fn describe(&self, step: Step) -> String {
        let name = |number: usize| {
            let request = &self.requests[number];
            format!("{:?} {number} {:?}", request.actor, request.verb)
        };
        match step {
            Step::Send(number) => format!("{}: sent", name(number)),
            Step::Call(number, fate) => {
                let op = self.requests[number].waits_for.as_ref();
                let op = op.map(Op::describe).unwrap_or_default();
                format!("{}: {op} {fate:?}", name(number))
            }
            Step::LateCall(index) => {
                let (number, op) = &self.late_calls[index];
                format!("{}: late {}", name(*number), op.describe())
            }
            Step::Deliver(number) => {
                let Sent {
                    is_ok, response, ..
                } = &*self.requests[number];
                let Response {
                    user,
                    session,
                    remember,
                    ..
                } = response;
                format!(
                    "{}: {} {user:?} {session:?} {remember:?}",
                    name(number),
                    if *is_ok { "OK" } else { "error" }
                )
            }
            Step::Lose(number) => format!("{}: the response is lost", name(number)),
            Step::Tick => "the grace ends".to_owned(),
        }
    }
}

impl Op {
    fn describe(&self) -> String {
        match self {
            Self::Create(it) | Self::Update(it) => {
                let verb = if it.version == 0 && matches!(self, Self::Create(_)) {
                    "create"
                } else {
                    "update"
                };
                format!(
                    "{verb} {} of {:?} v{} {:?}<{:?} e{}",
                    it.id, it.owner, it.version, it.current, it.previous, it.epoch
                )
            }
            other => format!("{other:?}"),
        }
    }
}
