import Glibc
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

  /// Who waits less long wakes who waits longer, which then is not done.
  @Test func waitingEndsOnlyWithTheSynchronisationOrItsOwnLimit() async throws {
    let server = try #require(SilentServer())
    let (_, device) = try await TestProfile.device(server: server.address)
    try await device.save([Self.edit], immediately: true, holdsBack: true)
    let limit = Duration.milliseconds(500)
    let start = ContinuousClock.now
    async let impatient = device.synchronise(within: .milliseconds(50))
    guard case .waiting(_, changes: 1) = await device.synchronise(within: limit) else {
      Issue.record("a server that is silent confirmed it")
      return
    }
    #expect(ContinuousClock.now - start >= limit)
    _ = await impatient
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

/// Lets everybody connect and never says a word.
private final class SilentServer {
  let address: String
  private let socket: Int32

  init?() {
    var place = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = inet_addr("127.0.0.1")
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let isListening = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &size) == 0
      }
    }
    guard isListening else {
      close(socket)
      return nil
    }
    self.socket = socket
    address = "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
  }

  deinit { close(socket) }
}
