import Foundation
import Testing
import Wire

@testable import Vault

@Suite struct SecretTests {
  @Test func secretsNeverShowThemselves() throws {
    let account = try Fixture.account.get()
    let paired = try Fixture.paired()
    let code = try OneTimeCode("JBSWY3DPEHPK3PXP")
    let values: [Any] = [
      account, account.keyring, account.authenticationKey, try Fixture.typed(), paired.code,
      paired.joining, paired.joined, code, try Fixture.login.get(),
      account.keyring.accountKeys.secret,
    ]
    for value in values {
      var dumped = ""
      dump(value, to: &dumped)
      #expect(String(describing: value) == "‹secret›")
      #expect(String(reflecting: value) == "‹secret›")
      #expect(dumped.hasPrefix("- ‹secret›"))
      #expect(dumped.split(separator: "\n").count == 1)
    }
  }

  @Test func secretBytesAreWhatWasWritten() {
    let secret = SecretBytes(count: 3) { $0.copyBytes(from: [1, 2, 3]) }
    #expect(secret.count == 3)
    #expect(secret.withBytes { Array($0) } == [1, 2, 3])
    #expect(SecretBytes(count: 4) { _ in }.withBytes { Array($0) } == [0, 0, 0, 0])
  }

  @Test func readersMayOverlap() async {
    let secret = Secret(copying: [UInt8](repeating: 7, count: 32))
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<200).allSatisfy { _ in
            secret.withBytes { outer in
              secret.withBytes { $0[0] == 7 } && outer.allSatisfy { $0 == 7 }
            }
          }
        }
      }
      for await held in group { #expect(held) }
    }
  }

  @Test func readingOutsideTheScopeEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      let secret = SecretBytes(count: 32) { $0.copyBytes(from: [1, 2, 3]) }
      let escaped = secret.withBytes { $0 }
      print(escaped[0])
    }
  }

  @Test func wipingLeavesZeros() {
    var bytes: [UInt8] = [1, 2, 3]
    bytes.wipe()
    #expect(bytes == [0, 0, 0])
    var none: [UInt8] = []
    none.wipe()
    #expect(none.isEmpty)
  }

  @Test func entropyDoesNotRepeat() {
    var entropy = SodiumEntropy()
    let ids: [DeviceID] = (0..<100).map { _ in entropy.identifier() }
    #expect(Set(ids).count == 100)
  }

  @Test func numbersBelowABoundAreAllReached() {
    var entropy = SeededEntropy("below")
    var seen = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 { seen[entropy.below(10)] += 1 }
    #expect(seen.allSatisfy { (850...1150).contains($0) })
    #expect(entropy.below(1) == 0)
  }
}

@Suite struct PassphraseTests {
  private func prepared(_ text: String) throws -> [UInt8] {
    try Passphrase(utf8: Array(text.utf8)).secret.withBytes { Array($0) }
  }

  @Test func composedAndDecomposedAreOnePassphrase() throws {
    #expect(try prepared("caf\u{e9}") == prepared("cafe\u{301}"))
    #expect(try prepared("caf\u{e9}") == Array("caf\u{e9}".utf8))
  }

  @Test func everySpaceIsASpaceAndNoneIsTrimmed() throws {
    #expect(try prepared(" a\u{3000}b\u{a0}") == Array(" a b ".utf8))
  }

  @Test func caseMatters() throws {
    #expect(try prepared("Word") != prepared("word"))
  }

  @Test func emptyControlAndBrokenTextAreRefused() {
    for bytes in [[], [0x61, 0x0a], [0x61, 0x7f], [0xff, 0xfe], [0xc3]] as [[UInt8]] {
      #expect(throws: VaultError.malformed(field: "passphrase")) { try Passphrase(utf8: bytes) }
    }
  }

  @Test func lengthIsBounded() throws {
    _ = try Passphrase(utf8: [UInt8](repeating: 0x61, count: 1024))
    #expect(throws: VaultError.overLimit(limit: "passphrase bytes", value: 1025)) {
      try Passphrase(utf8: [UInt8](repeating: 0x61, count: 1025))
    }
  }

  @Test func guardedBytesGiveTheSamePassphrase() throws {
    let typed = SecretBytes(count: 4) { $0.copyBytes(from: Array("word".utf8)) }
    #expect(
      try Passphrase(typed).secret.withBytes { Array($0) } == prepared("word"))
  }
}
