import Testing

@testable import Simulation

/// Every seventh place at which something can break, on a script of two devices; `higgins-simulate`
/// tries all.
@Suite struct BreakageTests {
  private static let stride = 7

  @Test func theScriptLosesNothingWhereverADeviceCrashes() async throws {
    #expect(try Trials.crashSites() > 200)
    #expect(try await Trials.crashes(oneIn: Self.stride) == [])
  }

  @Test func theScriptLosesNothingWhereverTheServerStops() async throws {
    #expect(try await Trials.serverStops(oneIn: Self.stride) == [])
  }

  @Test func theScriptLosesNothingWhateverStateTheServerIsRestoredTo() async throws {
    #expect(try await Trials.serverStates(oneIn: Self.stride) == [])
  }
}
