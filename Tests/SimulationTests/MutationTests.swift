import Sync
import Testing

@testable import Simulation

/// Each planted bug has to be found: a check that finds nothing when something is wrong is none.
@Suite struct MutationTests {
  /// Seeds within which a bug has to show.
  private static let bound: UInt64 = 300

  @Test(arguments: PlantedBug.allCases)
  func aPlantedBugIsFound(bug: PlantedBug) async throws {
    let (weather, play) = bug.ground
    var waits = SyncMachine.Waits()
    if weather.name == Weather.calm.name { waits.pollWithPush = .seconds(100_000) }
    let chosen = waits
    var found: Runs.Outcome?
    var seed: UInt64 = 0
    while found == nil, seed < Self.bound {
      let outcome = try Runs.run(seed) { seed, isTracing in
        try World(
          family: try Runs.family.get(), seed: seed, weather: weather, bug: bug,
          isTracing: isTracing, waits: chosen)
      } _: {
        try play($0)
      }
      if outcome.violation != nil { found = outcome }
      seed += 1
    }
    print("\(bug.rawValue): \(found?.failure ?? "not found")")
    #expect(found != nil, "no check noticed: \(bug)")
  }
}

extension PlantedBug {
  /// The weather that brings it out, and what happens in it.
  fileprivate var ground: (Weather, Runs.Play) {
    let safety: Runs.Play = { try Scenario.safety($0) }
    let liveness: Runs.Play = { try Scenario.liveness($0) }
    switch self {
    case .ignoreSignals, .loseSignals, .signalOneDeviceOnly: return (.calm, liveness)
    case .forgetOpenForms, .forgetWhatWasSeen, .loseDrafts, .commitDrafts, .reuseNonces, .cutPages,
      .advanceFrontierWithoutCommit, .sendFromOneTooLate, .forgetTimers, .ignoreMembership:
      return (.calm, safety)
    case .loseSettledEdits, .keepCopyWhenWriteFailed, .acknowledgeBeforeWrite, .skipSync,
      .writeInParts, .countIDsFromRestart:
      return (Weather.named("bad disks"), safety)
    case .saveAgainAfterFailure: return (Weather.named("expired tokens"), safety)
    case .sendNewestOnly, .retryAtOnce: return (Weather.named("partitions"), safety)
    case .pullFromServerFrontier: return (Weather.named("small pages"), safety)
    case .refuseKnownCommits: return (Weather.named("bad lines"), safety)
    case .takeRefusedForSent, .keepOldServerFrontier, .takeCommitsWithGaps:
      return (Weather.named("server restores"), safety)
    case .sendOwnCommitsOnly:
      return (
        Weather(name: "lost devices", loss: 8, slowness: 10, losses: 30, serverRestores: 25), safety
      )
    case .undoByOverwriting: return (.calm, { try Scenario.undo($0) })
    case .appendUncompared, .forgetRefusedRecords: return (Weather.named("revoked devices"), safety)
    case .forgetPastDevices: return (Weather.named("clones"), safety)
    case .compareHeadsOnly: return (Weather(name: "views"), { try Scenario.fork($0) })
    case .storeWithoutDependencies:
      return (Weather(name: "hostile", slowness: 10, hostility: .omit), safety)
    case .believeIntruders:
      return (Weather(name: "hostile", slowness: 10, hostility: .intrude), safety)
    case .keepMembershipToOneself: return (Weather.named("clones and restores"), safety)
    case .keepIdentity, .forgetUnproven:
      return (Weather.named("restored devices"), safety)
    case .keepForgottenToOneself, .dropForgottenEpochs, .forgetForgotten:
      return (.calm, { try Scenario.parting($0) })
    case .believeRevoked: return (.calm, { try Scenario.intruding($0) })
    case .compareEndings, .keepEndingToOneself:
      return (Weather.named("deleted accounts"), safety)
    case .keepWhatStandsOnIt: return (.calm, { try Scenario.twoHistories($0) })
    case .keepRevoked: return (Weather.named("revoked devices"), safety)
    case .pruneOneTooFar, .replaceBySnapshot, .claimTooMuch:
      return (Weather.named("months"), safety)
    case .dropAlarms:
      return (Weather(name: "hostile", slowness: 10, hostility: .alter), safety)
    }
  }
}
