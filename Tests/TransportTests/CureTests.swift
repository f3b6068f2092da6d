import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import Transport

@Suite struct CureTests {
  @Test(arguments: [
    IOError(errnoCode: ECONNREFUSED, reason: "") as any Error,
    IOError(errnoCode: ETIMEDOUT, reason: ""),
    IOError(errnoCode: ENETUNREACH, reason: ""), IOError(errnoCode: EHOSTUNREACH, reason: ""),
    IOError(errnoCode: ECONNRESET, reason: ""), NIOSSLError.unableToValidateCertificate,
    NIOSSLExtraError.failedToValidateHostname, ChannelError.connectTimeout(.seconds(1)),
    TransportError.noSuchHost("x"), TransportError.wrongServerKey,
    TransportError.plaintextBeyondLoopback(host: "x"),
    TransportError.protocolViolation(
      reason: "the server, or a proxy before it, takes no WebSocket"),
  ])
  func whatKeepsAConnectionFromComingAboutHasACure(_ error: any Error) {
    let reason = FailureReason.text(error)
    #expect(Cure.of(reason) != nil, "\(reason)")
  }

  @Test func eachReasonHasItsOwnLine() {
    for line in Cure.table {
      #expect(Cure.of("so: \(line.reason).") == line.cure, "\(line.reason)")
    }
    #expect(Cure.of("nothing that is known") == nil)
  }
}
