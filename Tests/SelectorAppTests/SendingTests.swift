import Sync
import Testing
import Wire

@testable import SelectorApp

/// When a device sends, and how it takes being told that it asks too often.
@Suite struct SendingTests {
  private static let edit = Edit.createContext(name: "bank.example", kind: .account, attributes: [])

  @Test func whatIsHeldBackIsSentAtTheStart() async throws {
    let (_, device) = try await TestProfile.device()
    try await device.save([Self.edit], immediately: true, holdsBack: true)
    #expect(await device.heldPlan != nil)
    await device.start(push: false)
    #expect(await device.heldPlan == nil)
    guard case .waiting(_, changes: 1) = await device.synchronise(within: .seconds(10)) else {
      Issue.record("a server that is not there confirmed it")
      return
    }
    #expect(await device.core.failure != nil, "it was tried")
    await device.stop(flush: .zero)
  }

  private static func refusal(_ code: Problem.Code) -> ServiceFailure {
    .refused(Problem(code, retryAfterSeconds: 0))
  }

  @Test func aPartRefusedForHasteIsSentAgain() async throws {
    let (_, device) = try await TestProfile.device()
    var refusals = 3
    let answer = try await device.unhurried {
      refusals -= 1
      if refusals >= 0 { throw Self.refusal(.rateLimited) }
      return "taken"
    }
    #expect(answer == "taken")
    await device.stop(flush: .zero)
  }

  @Test func aServerThatOnlySpeaksOfHasteIsGivenUp() async throws {
    let (_, device) = try await TestProfile.device()
    await #expect(throws: Self.refusal(.rateLimited)) {
      try await device.unhurried { throw Self.refusal(.rateLimited) }
    }
    await #expect(throws: Self.refusal(.quota)) {
      try await device.unhurried { throw Self.refusal(.quota) }
    }
    await device.stop(flush: .zero)
  }
}
