import Crypto
import Foundation
import Testing
import Wire

@testable import Vault

/// The public Wycheproof vectors, when they lie in `../shared/vectors` beside the package.
@Suite(.enabled(if: Wycheproof.isThere, "../shared/vectors is not there"))
struct WycheproofTests {
  @Test func ed25519VerifiesExactlyTheValid() throws {
    var count = 0
    for group in try Wycheproof.groups("ed25519_test.json") {
      let key = Blob(try #require(group.publicKey?.pk.hexBytes))
      for test in group.tests {
        let isGood = SigningKey.verify(
          try #require(test.sig?.hexBytes), of: try #require(test.msg?.hexBytes), by: key)
        #expect(isGood == (test.result == "valid"), "test \(test.tcId): \(test.comment)")
        count += 1
      }
    }
    #expect(count > 100)
  }

  @Test func xchacha20Poly1305OpensExactlyTheValid() throws {
    var count = 0
    for group in try Wycheproof.groups("xchacha20_poly1305_test.json") {
      for test in group.tests {
        let key = Secret(copying: try #require(test.key?.hexBytes))
        let nonce = try #require(test.iv?.hexBytes)
        let additional = try #require(test.aad?.hexBytes)
        let message = try #require(test.msg?.hexBytes)
        let sealed = try #require(test.ct?.hexBytes) + (try #require(test.tag?.hexBytes))
        let opened = Result { () throws(VaultError) in
          try Cipher.open(sealed[...], additional: additional, nonce: nonce, key: key)
        }
        #expect((try? opened.get()) == (test.result == "valid" ? message : nil), "\(test.tcId)")
        if test.result == "valid" {
          #expect(
            message.withUnsafeBytes {
              Cipher.seal($0, additional: additional, nonce: nonce, key: key)
            } == sealed, "\(test.tcId)")
        }
        count += 1
      }
    }
    #expect(count > 100)
  }

  @Test func hkdfDerivesTheExpectedKeys() throws {
    var count = 0
    for group in try Wycheproof.groups("hkdf_sha256_test.json") {
      for test in group.tests where test.result == "valid" {
        let key = HKDF<SHA256>.deriveKey(
          inputKeyMaterial: SymmetricKey(data: try #require(test.ikm?.hexBytes)),
          salt: try #require(test.salt?.hexBytes), info: try #require(test.info?.hexBytes),
          outputByteCount: try #require(test.size))
        #expect(key.withUnsafeBytes { Array($0) } == test.okm?.hexBytes, "\(test.tcId)")
        count += 1
      }
    }
    #expect(count > 50)
  }

  /// swift-crypto hands out a shared secret of zeros, so refusing those points is ours to do.
  @Test func x25519AgreesAndRefusesThePointsThatGiveNothing() throws {
    var count = 0
    for group in try Wycheproof.groups("x25519_test.json") {
      for test in group.tests {
        let secret = try #require(test.private?.hexBytes)
        let other = try #require(test.public?.hexBytes)
        let shared = try #require(test.shared?.hexBytes)
        let agrees = SealingKey(secret: Secret(copying: secret)).agrees(with: other)
        #expect(agrees == shared.contains { $0 != 0 }, "\(test.tcId)")
        guard agrees else { continue }
        let agreed = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: secret)
          .sharedSecretFromKeyAgreement(with: .init(rawRepresentation: other))
        #expect(agreed.withUnsafeBytes { Array($0) } == shared, "\(test.tcId)")
        count += 1
      }
    }
    #expect(count > 100)
  }

  @Test func hmacTagsAreTheExpected() throws {
    for (file, isSHA1) in [("hmac_sha1_test.json", true), ("hmac_sha256_test.json", false)] {
      var count = 0
      for group in try Wycheproof.groups(file) {
        for test in group.tests {
          let key = SymmetricKey(data: try #require(test.key?.hexBytes))
          let message = try #require(test.msg?.hexBytes)
          let tag = try #require(test.tag?.hexBytes)
          let made =
            isSHA1
            ? Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
            : Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
          #expect(made.starts(with: tag) == (test.result == "valid"), "\(file) \(test.tcId)")
          count += 1
        }
      }
      #expect(count > 50)
    }
  }
}

enum Wycheproof {
  struct File: Decodable {
    let testGroups: [Group]
  }

  struct Group: Decodable {
    struct Key: Decodable {
      let pk: String
    }

    let publicKey: Key?
    let tests: [Case]
  }

  struct Case: Decodable {
    let tcId: Int
    let comment: String
    let result: String
    let key: String?
    let iv: String?
    let aad: String?
    let msg: String?
    let ct: String?
    let tag: String?
    let sig: String?
    let ikm: String?
    let salt: String?
    let info: String?
    let size: Int?
    let okm: String?
    let `public`: String?
    let `private`: String?
    let shared: String?
  }

  /// Beside the package: four folders above this file, links followed.
  private static var folder: URL {
    URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "shared/vectors")
  }

  static var isThere: Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "ed25519_test.json").path())
  }

  static func groups(_ name: String) throws -> [Group] {
    let bytes = try Data(contentsOf: folder.appending(path: name))
    return try JSONDecoder().decode(File.self, from: bytes).testGroups
  }
}

extension String {
  fileprivate var hexBytes: [UInt8]? { Hex.decode(self) }
}
