//! A venue's message, read through its dialect.

use oms_model::instrument::Currency;
use oms_model::report::VenueFill;
use oms_model::{BrokerOrderId, ExecId, Liquidity, Notional, Price, Qty, Time, WireId};

use super::dialect::Dialect;
use crate::codec::scan::View;
use crate::codec::value::{parse_decimal, parse_price, parse_qty, parse_timestamp};
use crate::tags;

/// What a venue says, with FIX 4.4's tags and values.
pub(super) struct Said<'m> {
    view: View<'m>,
    dialect: &'m Dialect,
}

impl<'m> Said<'m> {
    pub(super) fn new(view: View<'m>, dialect: &'m Dialect) -> Self {
        Self { view, dialect }
    }

    pub(super) fn msg_type(&self) -> &'m [u8] {
        self.view.msg_type()
    }

    /// A field that is not empty.
    pub(super) fn get(&self, tag: i32) -> Option<&'m [u8]> {
        let value = self.view.get_filled(self.dialect.tag(self.msg_type(), tag))?;
        Some(self.dialect.value(tag, value))
    }

    pub(super) fn is(&self, tag: i32, value: &[u8]) -> bool {
        self.get(tag) == Some(value)
    }

    pub(super) fn str(&self, tag: i32) -> Option<&'m str> {
        self.get(tag).and_then(|value| str::from_utf8(value).ok())
    }

    pub(super) fn text(&self) -> String {
        self.get(tags::TEXT).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    }

    /// The id of ours that a field names.
    pub(super) fn wire(&self, tag: i32) -> Option<WireId> {
        self.str(tag).and_then(|text| self.dialect.names.read(text))
    }

    pub(super) fn qty(&self, tag: i32) -> Option<Qty> {
        self.get(tag).and_then(|value| parse_qty(value).ok())
    }

    pub(super) fn price(&self, tag: i32) -> Option<Price> {
        self.get(tag).and_then(|value| parse_price(value).ok())
    }

    /// OrderID(37), where there is one.
    pub(super) fn broker_order_id(&self) -> Option<BrokerOrderId> {
        self.str(37).filter(|id| !matches!(*id, "NONE" | "0")).and_then(|text| BrokerOrderId::new(text).ok())
    }

    /// When it happened, by the venue's clock.
    pub(super) fn at(&self) -> Time {
        let told = self.get(60).or_else(|| self.view.get_filled(tags::SENDING_TIME));
        Time(told.and_then(parse_timestamp).unwrap_or_default())
    }

    /// It is said again, in case it had not come.
    pub(super) fn is_again(&self) -> bool {
        self.view.get(tags::POSS_RESEND) == Some(b"Y")
    }

    fn id(&self, told: &str) -> Option<ExecId> {
        self.dialect.can.exec_ids.id(told, self.str(55).unwrap_or_default(), self.str(75), self.at())
    }

    /// Our id of the execution that ExecID(17) names.
    pub(super) fn exec_id(&self) -> Option<ExecId> {
        self.id(self.str(17)?)
    }

    /// Our id of the execution that ExecRefID(19) names, which is among those that are `known` where it came on another day.
    pub(super) fn exec_ref<'k>(&self, mut known: impl Iterator<Item = &'k ExecId>) -> Option<ExecId> {
        let told = self.str(19)?;
        let scope = self.dialect.can.exec_ids;
        let own = self.id(told)?;
        known.find(|id| scope.is(id, told)).cloned().or(Some(own))
    }

    /// The execution: ExecID, LastQty, LastPx.
    pub(super) fn fill(&self) -> Option<VenueFill> {
        let liquidity = if self.is(851, b"1") { Liquidity::Added } else { Liquidity::Removed };
        // A charge that is not per unit is told beside the execution.
        let fee_per_unit = self.price(12).filter(|_| self.is(13, b"1")).unwrap_or_default();
        Some(VenueFill { exec_id: self.exec_id()?, last_qty: self.qty(32)?, last_px: self.price(31)?, liquidity, fee_per_unit })
    }

    /// The whole charge of the execution (CommType(13)=3) with its currency.
    pub(super) fn commission(&self) -> Option<(Notional, Currency)> {
        let amount = self.get(12).filter(|_| self.is(13, b"3")).and_then(|value| parse_decimal(value).ok())?;
        let currency = Currency(self.get(479).or_else(|| self.get(15))?.try_into().ok()?);
        // Both are exact decimals: of nine digits, and of eighteen.
        let raw = amount.raw().checked_mul(1_000_000_000)?;
        Some((Notional::from_raw(raw), currency))
    }
}
