//! Which scenario shows a flaw, and by which property.

use crate::property::{ALL_END, CANCEL_HOLDS, ENDS_ONCE, HOLDER_COMMITS, ONE_COMMITTER, ONE_PLACE, STOPS_IN_TIME};
use crate::{Flaw, LeaseModel, Scenario};

impl Flaw {
    /// The scenario that shows the flaw.
    pub const fn scenario(self) -> Scenario {
        match self {
            Self::CommitsAreNotFenced
            | Self::RepeatedCommitIsWrittenAgain
            | Self::TrustCountsFromTheAnswer
            | Self::WorkersDoNotStopThemselves
            | Self::LateDeliveryIsStarted
            | Self::TasksAreGivenBackBeforeRunsStop => Scenario::PAUSES,

            Self::RenewalsAreStampedByTheWorker => Scenario::SKEWED_CLOCKS,
            Self::ClocksLoseTheWholeMargin => Scenario::SLOWER_CLOCKS,
            Self::CommitsAreFencedByTaskAlone
            | Self::LeaseNumbersAreReused
            | Self::SweepForgetsTasks
            | Self::SweepKeepsTheLease
            | Self::NobodySweeps
            | Self::TakeoverWithoutTheLock => Scenario::CRASHES,
            Self::LeaseIsTakenUpAgain => Scenario::SLOW_CLOCKS,
            Self::BrokenLineIsKept => Scenario::LINES,
            Self::RefusedEndIsForgotten => Scenario::REFUSALS,
            Self::LossForgetsTheCancel => Scenario::CANCELS,
        }
    }

    /// The property that the flaw breaks.
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::CommitsAreNotFenced | Self::RepeatedCommitIsWrittenAgain => ENDS_ONCE,
            Self::CommitsAreFencedByTaskAlone => HOLDER_COMMITS,
            Self::LeaseNumbersAreReused => ONE_COMMITTER,
            Self::TrustCountsFromTheAnswer
            | Self::WorkersDoNotStopThemselves
            | Self::RenewalsAreStampedByTheWorker
            | Self::ClocksLoseTheWholeMargin
            | Self::LateDeliveryIsStarted
            | Self::TasksAreGivenBackBeforeRunsStop
            | Self::TakeoverWithoutTheLock => STOPS_IN_TIME,
            Self::SweepForgetsTasks | Self::SweepKeepsTheLease => ONE_PLACE,
            Self::LeaseIsTakenUpAgain | Self::BrokenLineIsKept | Self::RefusedEndIsForgotten | Self::NobodySweeps => {
                ALL_END
            }
            Self::LossForgetsTheCancel => CANCEL_HOLDS,
        }
    }

    /// The protocol with this flaw, asked for the property that it breaks.
    pub const fn model(self) -> LeaseModel {
        LeaseModel::flawed(self.scenario(), self, self.breaks())
    }
}
