//! Which scope each command needs, whatever door it comes through.

use crate::scope::Scope;
use oms_model::command::{Command, RiskCommand};

/// The scope that `command` needs.
#[must_use]
pub fn scope_of(command: &Command) -> Scope {
    match command {
        Command::CreateOrder(_)
        | Command::CreateOrders { .. }
        | Command::CreateOrderList { .. }
        | Command::RequestQuote(_)
        | Command::CancelQuoteRequest { .. }
        | Command::SubmitQuote(_)
        | Command::WithdrawQuote { .. }
        | Command::AcceptQuote { .. } => Scope::OrdersPlace,
        Command::CancelOrder { .. } | Command::CancelOrders { .. } | Command::MassCancel { .. } => Scope::OrdersCancel,
        Command::ReplaceOrder { .. }
        | Command::SuspendOrder { .. }
        | Command::ResumeOrder { .. }
        | Command::AcceptOrder { .. }
        | Command::ClaimOrder { .. }
        | Command::PassOrder { .. }
        | Command::SplitOrder { .. }
        | Command::ReleaseOrder { .. }
        | Command::GroupOrders(_)
        | Command::UngroupOrders { .. }
        | Command::ProposeAllocation { .. } => Scope::OrdersModify,
        Command::Named { request, .. } => scope_of(request),
        Command::ApproveAllocation { .. }
        | Command::RejectAllocation { .. }
        | Command::CreateExecution(_)
        | Command::CorrectExecution { .. }
        | Command::ReverseExecution { .. }
        | Command::DismissSuspense { .. } => Scope::OrdersApprove,
        Command::EngageKillSwitch { .. } | Command::ReleaseKillSwitch { .. } => Scope::RiskKill,
        Command::SetTradingState { .. } | Command::SetRiskLimit(_) | Command::RemoveRiskLimit(_) => Scope::RiskManage,
        Command::Risk(command) => scope_of_risk(command),
        Command::SetSorPolicy(_)
        | Command::ConfigureVenue(_)
        | Command::ListInstrument(_)
        | Command::SetNav { .. }
        | Command::OpenAccount(_)
        | Command::CreateTenant { .. }
        | Command::CreateApiKey { .. }
        | Command::SetFxRate { .. }
        | Command::SetCostMethod(_)
        | Command::CloseDay { .. } => Scope::SystemAdmin,
    }
}

/// Whether a person has to show the second factor again for it: what raises what may be lost.
#[must_use]
pub fn asks_step_up(command: &Command) -> bool {
    match command {
        Command::SetRiskLimit(_)
        | Command::RemoveRiskLimit(_)
        | Command::ReleaseKillSwitch { .. }
        | Command::ConfigureVenue(_)
        | Command::OpenAccount(_)
        | Command::CreateApiKey { .. } => true,
        Command::Risk(command) => matches!(
            **command,
            RiskCommand::GrantOverride { .. }
                | RiskCommand::ConsentOverride { .. }
                | RiskCommand::SetOverrideRule(_)
                | RiskCommand::ScheduleLimit { .. }
                | RiskCommand::ImportLimits { .. }
                | RiskCommand::ImportRestrictions { .. }
        ),
        _ => false,
    }
}

fn scope_of_risk(command: &RiskCommand) -> Scope {
    match command {
        RiskCommand::ApproveOrder { .. } | RiskCommand::TurnOrderDown { .. } => Scope::OrdersApprove,
        // Whoever may cancel may also have it done when they fall silent.
        RiskCommand::ArmDeadMan { .. } | RiskCommand::BeatDeadMan { .. } | RiskCommand::DisarmDeadMan { .. } => Scope::OrdersCancel,
        RiskCommand::GrantOverride { .. } | RiskCommand::ConsentOverride { .. } | RiskCommand::RevokeOverride { .. } => Scope::RiskOverride,
        RiskCommand::SetRestriction(_)
        | RiskCommand::RemoveRestriction { .. }
        | RiskCommand::SetLocate(_)
        | RiskCommand::SetShortSaleState { .. }
        | RiskCommand::SetSelfMatchRule { .. }
        | RiskCommand::SetStrategyEnvelope(_)
        | RiskCommand::ResetThrottle { .. }
        | RiskCommand::SetAdv { .. }
        | RiskCommand::SetAccountRisk { .. }
        | RiskCommand::SetBreaker(_)
        | RiskCommand::RemoveBreaker { .. }
        | RiskCommand::CloseBreaker { .. }
        | RiskCommand::SetInFlightRule(_)
        | RiskCommand::SetPriceBand { .. }
        | RiskCommand::RemovePriceBand { .. }
        | RiskCommand::SetPriorClose { .. }
        | RiskCommand::SetRiskCurrency(_)
        | RiskCommand::RequireLimit { .. }
        | RiskCommand::SetShadowRules { .. }
        | RiskCommand::RemoveShadowRules { .. }
        | RiskCommand::PromoteShadowRules { .. }
        | RiskCommand::SetOverrideRule(_)
        | RiskCommand::ScheduleLimit { .. }
        | RiskCommand::UnscheduleLimit { .. }
        | RiskCommand::ImportLimits { .. }
        | RiskCommand::ImportRestrictions { .. } => Scope::RiskManage,
    }
}
