/// Bugs the checks have to find, planted around the real code: in the shell, the disk, the network,
/// the server or the source of chance.
enum PlantedBug: String, CaseIterable, Sendable {
  // The shell and its disk.
  /// Saved edits are not kept until they are committed.
  case loseSettledEdits
  /// Memory runs ahead of a disk that refused the write.
  case keepCopyWhenWriteFailed
  /// Nobody is told that the disk refused the records by which a device was taken out: it waits for
  /// ever.
  case forgetRefusedRecords
  /// Effects are carried out and the person is told before the disk has taken the step.
  case acknowledgeBeforeWrite
  /// A write returns before it is synced.
  case skipSync
  /// A step's commits are written one by one, the rest of it later.
  case writeInParts
  /// The core is not told that a form is open.
  case forgetOpenForms
  /// What stood on the screen when the form was opened is forgotten: the save hides what came
  /// since.
  case forgetWhatWasSeen
  /// What is typed is not written to the disk.
  case loseDrafts
  /// What is typed is saved without having been.
  case commitDrafts
  /// A run that failed is started again at once.
  case retryAtOnce
  /// An edit whose upload failed is saved again.
  case saveAgainAfterFailure
  /// Timers are not carried out.
  case forgetTimers
  /// Undo writes the former value over whatever is there by now.
  case undoByOverwriting
  /// What devices wrote that have another identity by now, or were taken out, cannot be read any
  /// more after a restart: their keys are not kept (rule R12).
  case forgetPastDevices
  // The source of chance.
  case reuseNonces
  /// Version ids are counted from the start of the process (rule R10).
  case countIDsFromRestart
  // What is asked of the server.
  /// The pull cursor is what the server was known to hold, not what is held here (rule R2).
  case pullFromServerFrontier
  /// Only own commits are sent (rule R3).
  case sendOwnCommitsOnly
  /// The commits to send begin one too late: `>` for `>=`.
  case sendFromOneTooLate
  /// Only the newest commit is sent, as if the server merged states.
  case sendNewestOnly
  // What is believed of the answer.
  case ignoreSignals
  /// A commit whose dependencies are missing is stored (rule R4).
  case storeWithoutDependencies
  /// A commit by somebody whom no verified record made a member is believed.
  case believeIntruders
  /// Membership records are ignored.
  case ignoreMembership
  /// What the server refused counts as sent.
  case takeRefusedForSent
  /// The server's loss of commits goes unnoticed: its frontier never goes back here.
  case keepOldServerFrontier
  /// What an answer names below the heads is not compared with what is held (rule R1).
  case compareHeadsOnly
  /// Alarms are not kept.
  case dropAlarms
  // Snapshots and replacement.
  /// A restored device goes on under its old identity (rule R9).
  case keepIdentity
  /// A device that was taken out of the account keeps what it has.
  case keepRevoked
  /// A server that forgot devices is not told of them again.
  case keepMembershipToOneself
  /// What a list of devices said that gave way to the server's is not said anew.
  case keepForgottenToOneself
  /// That devices were taken out is not said anew.
  case dropForgottenEpochs
  /// What a list said that gave way to the server's is forgotten with the process.
  case forgetForgotten
  /// A list of devices is believed whoever signed it, one that the held list takes out included.
  case believeRevoked
  /// The end of an account is taken only where the list of devices is as it was.
  case compareEndings
  /// A server that forgot that the account was deleted is not told again.
  case keepEndingToOneself
  /// What a restored device wrote and nobody holds is not written again.
  case forgetUnproven
  /// What others wrote on commits that a restored device takes back stays where it is.
  case keepWhatStandsOnIt
  /// A log is pruned one further than the snapshot stands for (rule R7).
  case pruneOneTooFar
  /// A snapshot says that it covers what came while it was written (rule R6).
  case claimTooMuch
  /// A snapshot takes the place of the log instead of being merged (rule R8).
  case replaceBySnapshot
  // The server.
  /// A membership record is appended to whatever the chain ends with by now (rule R11).
  case appendUncompared
  /// The signal is not in the transaction of the commit (rule R5).
  case loseSignals
  /// The frontier moves, the commit is not kept (rule R5).
  case advanceFrontierWithoutCommit
  /// A commit that lacks its predecessor is taken.
  case takeCommitsWithGaps
  /// A commit sent twice is refused the second time.
  case refuseKnownCommits
  /// The page leaves out the last commit and says there is no more: `>` for `>=`.
  case cutPages
  /// The hub tells the newest device only.
  case signalOneDeviceOnly
}
