import Foundation
import Testing

@testable import Vault

/// `Tests/Reader/reader.py` was written from the text of `Formats.md` and shares no code with this
/// program: what it opens, a stranger can open.
@Suite struct IndependentReaderTests {
  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks PyNaCl, argon2-cffi or cryptography") {
      await Python.has("nacl.bindings, argon2, cryptography")
    }, .timeLimit(.minutes(1)))
  func recordedFilesOpenWithAReaderWrittenFromTheText() async throws {
    let (status, output) = try #require(
      await Python.run([Python.reader, "golden", Python.golden]))
    #expect(status == 0, "\(output)")
    #expect(
      output.split(separator: "\n") == [
        "slot: opens with passphrase and kit",
        "genesis: verifies, and the device's name opens",
        "addition: verifies",
        "replacement: verifies",
        "identity said anew: verifies",
        "rotation: verifies",
        "sealed epoch: opens with the key of the device that stays",
        "new slot: opens with the new kit",
        "commits: open up to the cut and after it, and nothing of the revoked device beyond it",
        "slot change: verifies, and the slot opens with the new passphrase",
        "renaming: verifies, and the name opens",
        "ending: verifies",
        "server keys: verify",
        "suite: what was sealed before it rose opens, and nothing after",
        "commit: verifies and opens",
        "row: opens",
        "snapshot: verifies and opens",
        "changed and rearranged snapshots: refused",
      ])
  }

  /// Both readers refuse the same corpus; only HPKE's answers are beyond the other one.
  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks PyNaCl, argon2-cffi or cryptography") {
      await Python.has("nacl.bindings, argon2, cryptography")
    }, .timeLimit(.minutes(1)))
  func whatMustNotOpenIsRefusedByTheOtherReaderToo() async throws {
    let (status, output) = try #require(
      await Python.run([Python.reader, "cases", Python.golden, Python.cases]))
    #expect(status == 0, "\(output)")
    let answers = try MustFailCase.all().count { $0.layout == "answer" }
    let refused = try MustFailCase.all().count - answers
    #expect(output == "\(refused) cases: refused; not read: answer\n")
  }

  /// Codes of the moment, against pyotp.
  @Test(
    .enabled("python3, or what HIGGINS_PYTHON names, lacks pyotp") { await Python.has("pyotp") },
    .timeLimit(.minutes(1)))
  func oneTimeCodesAreThoseOfPyotp() async throws {
    let script = """
      import hashlib, pyotp, sys
      for secret, algorithm, digits, period, at in (line.split() for line in sys.argv[1:]):
          digest = getattr(hashlib, algorithm.lower())
          print(pyotp.TOTP(secret, int(digits), digest, interval=int(period)).at(int(at)))
      """
    let secrets = ["JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "MFRGGZDF", "AAAAAAAA"]
    var lines: [String] = []
    var own: [String] = []
    for secret in secrets {
      for algorithm in OneTimeCode.Algorithm.allCases {
        for (digits, period) in [(6, 30), (7, 30), (8, 60)] {
          for at: Int64 in [0, 59, 1_111_111_109, 2_000_000_000, 20_000_000_000] {
            lines.append("\(secret) \(algorithm.rawValue) \(digits) \(period) \(at)")
            let code = try OneTimeCode(
              "otpauth://totp/x?secret=\(secret)&algorithm=\(algorithm.rawValue)"
                + "&digits=\(digits)&period=\(period)")
            own.append(code.code(at: at))
          }
        }
      }
    }
    let (status, output) = try #require(await Python.run(["-c", script] + lines))
    #expect(status == 0, "\(output)")
    #expect(output.split(separator: "\n").map(String.init) == own)
  }
}
