//! Orders that are worked as one, and how what they execute is shared out.

use super::commands::done;
use super::orders::order_ref;
use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::{Endpoint, get, post, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::error::respond;
use crate::json::events::allocation_fields;
use crate::json::{Fields, Writer, booking};
use crate::query::{MAX_LIMIT, bad_parameter};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_engine::State;
use oms_engine::state::Group;
use oms_identity::Scope;
use oms_model::command::{Command, CommandOutcome, OrderRef, Placed};
use oms_model::event::Allocation;
use oms_model::{AllocId, Code, Order, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let groups = |id, summary| (id, "groups", summary);
    let allocations = |id, summary| (id, "allocations", summary);
    let acts = |endpoint: Endpoint| endpoint.errors(&[Code::NotFound, Code::StateConflict, Code::UnsupportedMediaType]).idempotent();
    vec![
        acts(
            post(Access::Scope(Scope::OrdersModify), "/api/v1/order-groups", groups("groupOrders", "Work orders as one"), create)
                .body("NewGroup")
                .json(201, "GroupCreated", "The group is placed; its members are not worked singly while it stands."),
        ),
        get(Access::Scope(Scope::OrdersView), "/api/v1/order-groups", groups("listGroups", "The groups that stand"), list).json(
            200,
            "GroupList",
            "At most 500 groups, the oldest first.",
        ),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/order-groups/{group_id}/members",
            groups("listMembers", "A group's members with what each was given"),
            members,
        )
        .json(200, "Group", "The group.")
        .errors(&[Code::NotFound]),
        acts(
            post(
                Access::Scope(Scope::OrdersModify),
                "/api/v1/order-groups/{group_id}/ungroup",
                groups("ungroupOrders", "Work the members on their own again"),
                ungroup,
            )
            .body("Reason")
            .json(200, "Done", "The group is dissolved."),
        ),
        acts(
            post(
                Access::Scope(Scope::OrdersModify),
                "/api/v1/order-groups/{group_id}/allocations/propose",
                allocations("proposeAllocation", "Propose to share out what a MANUAL group has executed"),
                propose,
            )
            .optional_body("Empty")
            .json(200, "Done", "It waits for a second person."),
        ),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/allocations",
            allocations("listAllocations", "What is shared out of the groups that stand, and what waits to be approved"),
            allocation_list,
        )
        .parameters(&[query("status", "one(PROPOSED,BOOKED)", "PROPOSED or BOOKED alone.")])
        .json(200, "AllocationList", "At most 500 allocations."),
        acts(
            post(
                Access::Scope(Scope::OrdersApprove),
                "/api/v1/allocations/{alloc_id}/approve",
                allocations("approveAllocation", "Approve as a second person"),
                approve,
            )
            .optional_body("Empty")
            .json(200, "Done", "It is booked.")
            .errors(&[Code::SecondPersonNeeded]),
        ),
        acts(
            post(
                Access::Scope(Scope::OrdersApprove),
                "/api/v1/allocations/{alloc_id}/reject",
                allocations("rejectAllocation", "Turn a proposal down"),
                reject,
            )
            .body("Reason")
            .json(200, "Done", "Nothing is booked."),
        ),
    ]
}

async fn create(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let command = booking::group_orders(&value, &*call.api.catalog_now().await?)?;
    let key = call.idempotency("POST /order-groups", "", &value)?;
    let answer = call.execute(command, key).await?;
    let response = match &answer.outcome {
        CommandOutcome::Orders(placed) => match placed.first() {
            Some(Placed::Accepted { order_id }) => {
                let mut w = Writer::with_capacity(192);
                w.object(|w| {
                    w.text("group_order_id", order_id);
                    w.text("command_id", answer.batch.command_id);
                    w.number("sequence", last_seq(&answer.batch).0);
                });
                let mut response = reply::json(StatusCode::CREATED, w.finish(), call.trace_id);
                reply::sequence(&mut response, last_seq(&answer.batch));
                response
            }
            Some(Placed::Refused { order_id, code }) => {
                let refusal = Refusal::new(*code, "the group found no place and was dissolved").with("group_order_id", order_id);
                respond(&refusal, trace_of(&call, &answer.batch))
            }
            Some(Placed::Invalid(refusal)) => respond(refusal, trace_of(&call, &answer.batch)),
            None => return Err(unexpected()),
        },
        CommandOutcome::Refused(refusal) => respond(refusal, trace_of(&call, &answer.batch)),
        _ => return Err(unexpected()),
    };
    Ok(mark_replay(response, &answer))
}

/// A group with its order.
type Known = (Group, Order);

fn group_fields(w: &mut Writer, (group, order): &Known, catalog: &Catalog) {
    w.text("group_order_id", group.group_order_id);
    w.string("cl_ord_id", order.cl_ord_id.as_str());
    w.text("account_id", order.account_id);
    w.string("symbol", catalog.symbol(order.instrument_id));
    w.text("side", order.side);
    w.text("mode", group.mode);
    w.text("ord_status", order.ord_status());
    w.text("order_qty", order.order_qty);
    w.text("cum_qty", order.cum_qty);
    w.text("alloc_qty", group.alloc_qty());
    w.text_or_null("avg_px", order.avg_px());
    w.number("member_count", order.member_count());
    w.array_at("members", &group.members, |w, member| {
        w.object(|w| {
            let booked = group.booked.as_deref();
            let share = booked.and_then(|booked| booked.shares.iter().find(|share| share.order_id == member.order_id)).copied();
            let share = share.unwrap_or_default();
            w.text("order_id", member.order_id);
            w.text("account_id", member.account_id);
            w.text("remaining", member.remaining);
            w.text("qty", share.qty);
            w.text("notional", share.notional);
        });
    });
}

async fn list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let known = call.api.handle().inspect(|state, _| {
        let known = |group: &Group| state.order(group.group_order_id).map(|order| (group.clone(), order.clone()));
        state.groups().filter_map(known).take(MAX_LIMIT as usize).collect::<Vec<Known>>()
    });
    let known = known.await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| w.array_at("data", &known, |w, known| w.object(|w| group_fields(w, known, &catalog))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn members(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let reference = order_ref(&call.id)?;
    let known = call.api.handle().inspect(move |state, _| {
        let order = state.find(&reference)?;
        Some((state.group(order.order_id)?.clone(), order.clone()))
    });
    let known = known.await?.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such group").with("group", &call.id))?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| group_fields(w, &known, &catalog));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

async fn ungroup(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let (bytes, group) = (call.body().await?, order_ref(&call.id)?);
    let value = call.parse(&bytes)?;
    let reason = booking::reason(&Fields::of(&value, "", &["reason"])?)?;
    let key = call.idempotency("POST /order-groups/ungroup", &call.id, &value)?;
    let answer = call.execute(Command::UngroupOrders { group, reason }, key).await?;
    done(&call, &answer)
}

async fn propose(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let (bytes, group): (_, OrderRef) = (call.optional_body().await?, order_ref(&call.id)?);
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[])?;
    let key = call.idempotency("POST /order-groups/allocations/propose", &call.id, &value)?;
    let answer = call.execute(Command::ProposeAllocation { group }, key).await?;
    done(&call, &answer)
}

fn alloc_id(call: &Call) -> Result<AllocId, Refusal> {
    call.id.parse().map_err(|error| Refusal::new(Code::ValidationError, format!("the allocation {:?} {error}", call.id)))
}

async fn approve(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let (bytes, alloc_id) = (call.optional_body().await?, alloc_id(&call)?);
    let value = call.parse_or_empty(&bytes)?;
    Fields::of(&value, "", &[])?;
    let key = call.idempotency("POST /allocations/approve", &call.id, &value)?;
    let answer = call.execute(Command::ApproveAllocation { alloc_id }, key).await?;
    done(&call, &answer)
}

async fn reject(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let (bytes, alloc_id) = (call.body().await?, alloc_id(&call)?);
    let value = call.parse(&bytes)?;
    let reason = booking::reason(&Fields::of(&value, "", &["reason"])?)?;
    let key = call.idempotency("POST /allocations/reject", &call.id, &value)?;
    let answer = call.execute(Command::RejectAllocation { alloc_id, reason }, key).await?;
    done(&call, &answer)
}

async fn allocation_list(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let status = params.take("status");
    params.end()?;
    let (proposed, booked) = match status.as_deref() {
        None => (true, true),
        Some("PROPOSED") => (true, false),
        Some("BOOKED") => (false, true),
        Some(_) => return Err(bad_parameter("status", "must be PROPOSED or BOOKED")),
    };
    let found = call.api.handle().inspect(move |state, _| {
        let wanted = |(status, _): &Listed| if *status == "PROPOSED" { proposed } else { booked };
        allocations(state).into_iter().filter(wanted).take(MAX_LIMIT as usize).collect::<Vec<_>>()
    });
    let found = found.await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| w.array_at("data", &found, |w, listed| w.object(|w| allocation_row(w, listed, &catalog))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// An allocation and where it stands: `PROPOSED` or `BOOKED`.
pub(super) type Listed = (&'static str, Allocation);

/// The allocations of all groups that are kept, in the order of the groups.
pub(super) fn allocations(state: &State) -> Vec<Listed> {
    let of = |group: &Group| {
        let waits = group.proposed.as_deref().map(|waits| ("PROPOSED", waits.allocation.clone()));
        waits.into_iter().chain(group.booked.as_deref().map(|booked| ("BOOKED", booked.clone())))
    };
    state.groups().flat_map(of).collect()
}

pub(super) fn allocation_row(w: &mut Writer, (status, allocation): &Listed, catalog: &Catalog) {
    w.text("status", status);
    allocation_fields(w, allocation, catalog);
}
