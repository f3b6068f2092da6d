import Foundation
import Testing
import Wire

@testable import PushServer

@Suite(.serialized, .timeLimit(.minutes(1))) struct RevocationTests {
  private func page(_ devices: [DeviceID], account: AccountID = someone) throws -> String {
    try json(revocations(devices, account: account))
  }

  @Test func aRevokedDeviceIsSentAwayWithinASecondAndNotLetInAgain() async throws {
    try await running { service in
      let work = try await device(id(3), at: service).socket
      let home = try await device(id(2), at: service).socket
      _ = try await work.receivePush()
      let start = ContinuousClock.now
      let answer = try await post(try page([id(3)]), at: service, path: Route.revocations)
      #expect(answer.hasPrefix("HTTP/1.1 200"))
      #expect(try await work.receivePush() == .bye(reason: .revoked, retryAfterMilliseconds: 0))
      #expect(ContinuousClock.now - start < .seconds(1))
      guard case .presence(let gone) = try await home.receivePush() else {
        Issue.record("the others are not told")
        return
      }
      #expect(gone.device == id(3) && !gone.online)
      // Its token is still good by its signature and its time.
      #expect(
        try await device(id(3), at: service).welcome
          == .bye(reason: .revoked, retryAfterMilliseconds: 0))
      guard case .welcome = try await device(id(4), at: service).welcome else {
        Issue.record("another device is kept out")
        return
      }
    }
  }

  @Test func aRevocationIsOfOneAccountAndNeedsTheKey() async throws {
    try await running { service in
      let other = try page([id(3)], account: id(9))
      #expect(
        try await post(other, at: service, path: Route.revocations).hasPrefix("HTTP/1.1 200"))
      let refused = try await post(
        try page([id(3)]), at: service, key: "wrong", path: Route.revocations)
      #expect(refused.hasPrefix("HTTP/1.1 401"))
      let forged = try json(SignedRevocations(page: "forged"))
      #expect(
        try await post(forged, at: service, path: Route.revocations).hasPrefix("HTTP/1.1 422"))
      #expect(
        try await post("[7]", at: service, path: Route.revocations).hasPrefix("HTTP/1.1 400"))
      guard case .welcome = try await device(id(3), at: service).welcome else {
        Issue.record("a device of another account was revoked")
        return
      }
    }
  }

  @Test func aDeviceIsRememberedUntilItsLastTokenHasEnded() {
    var revoked = RevokedDevices()
    let one = Revocation(account: id(1), device: id(2))
    let isNoted = revoked.add([one], uptime: .zero)
    #expect(isNoted)
    let end = RevokedDevices.life
    #expect(end >= Limits.tokenLife + Limits.tokenLeeway)
    #expect(revoked.contains(one, uptime: end - .seconds(1)))
    #expect(!revoked.contains(one, uptime: end))
    #expect(!revoked.contains(Revocation(account: id(2), device: id(2)), uptime: .zero))
  }

  @Test func tooManyAreRefusedAndNoneIsForgotten() {
    var revoked = RevokedDevices()
    let many = (0..<RevokedDevices.limit).map { number in
      let tail = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      let device = DeviceID(bytes: [UInt8](repeating: 0, count: 8) + tail)!
      return Revocation(account: id(1), device: device)
    }
    let areNoted = revoked.add(many, uptime: .zero)
    let one = Revocation(account: id(2), device: id(2))
    let isTaken = revoked.add([one], uptime: .seconds(1))
    #expect(areNoted && !isTaken)
    #expect(revoked.contains(many[0], uptime: .seconds(1)))
    // Later there is room again.
    let isTakenLater = revoked.add([one], uptime: RevokedDevices.life)
    #expect(isTakenLater && revoked.count == 1)
  }
}
