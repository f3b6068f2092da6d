import CSodium
import Crypto
import Foundation
import Testing
import Wire

@testable import Vault

/// Published vectors: the primitives are the ones their names promise.
@Suite struct KnownAnswerTests {
  private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

  /// RFC 5869, test case 1.
  @Test func hkdfIsThatOfTheRFC() throws {
    let key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: [UInt8](repeating: 0x0b, count: 22)),
      salt: try bytes("000102030405060708090a0b0c"), info: try bytes("f0f1f2f3f4f5f6f7f8f9"),
      outputByteCount: 42)
    #expect(
      key.withUnsafeBytes { Hex.encode($0) }
        == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
  }

  /// Our derivation is HKDF with the documented info, written out here from HMAC alone.
  @Test func derivedKeysFollowTheDocumentedLabels() {
    let salt = [UInt8](repeating: 9, count: 16)
    func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
      Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
    let material = [UInt8](repeating: 5, count: 32)
    let expected = hmac(hmac(salt, material), Array("ctx/v1/data".utf8) + [1])
    #expect(Secret(copying: material).derived(.data, salt: salt).hex == Hex.encode(expected))
    #expect(
      Secret(copying: material).commitment(.slotCommitment)
        == hmac(material, Array("ctx/v1/slot-commit".utf8)))
  }

  /// Made with the reference implementation of Argon2 (`argon2 … -id -t 3 -k 65536 -p 1 -l 32`).
  @Test func argon2idIsThatOfTheReference() throws {
    var output = [UInt8](repeating: 0, count: 32)
    let result = output.withUnsafeMutableBytes { output in
      Array("password".utf8).withUnsafeBytes { passphrase in
        Argon2id.hash(
          into: output, passphrase: passphrase, salt: Array("somesaltsomesalt".utf8), passes: 3,
          memoryKibibytes: 64 * 1024)
      }
    }
    #expect(result == 0)
    #expect(
      Hex.encode(output) == "7664ad4ba1a3c999fcdd0991ffc2270f78302d2383233db5e7befc85d1bb1819")
  }

  /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
  @Test func xchacha20Poly1305IsThatOfTheDraft() throws {
    let plaintext = Array(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        .utf8)
    let key = Secret(copying: (0x80...0x9f).map { UInt8($0) })
    let nonce = (0x40...0x57).map { UInt8($0) }
    let additional = try bytes("50515253c0c1c2c3c4c5c6c7")
    let sealed = plaintext.withUnsafeBytes {
      Cipher.seal($0, additional: additional, nonce: nonce, key: key)
    }
    #expect(
      Hex.encode(sealed)
        == "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        + "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        + "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        + "21f9664c97637da9768812f615c68b13b52e" + "c0875924c1c7987947deafd8780acf49")
    let opened = try Cipher.open(sealed[...], additional: additional, nonce: nonce, key: key)
    #expect(opened == plaintext)
  }

  /// RFC 8032, section 7.1, test 3.
  @Test func ed25519IsThatOfTheRFC() throws {
    let key = SigningKey(
      seed: Secret(
        copying: try bytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")))
    #expect(
      Hex.encode(key.publicKey.bytes)
        == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
    let signature = key.sign([0xaf, 0x82])
    #expect(
      Hex.encode(signature)
        == "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")
    #expect(SigningKey.verify(signature, of: [0xaf, 0x82], by: key.publicKey))
  }

  /// The server verifies with another library than the client signs with.
  @Test func otherLibraryVerifiesOurSignatures() throws {
    let envelope = try Fixture.commit()
    let device = try #require(Fixture.chain().devices[envelope.header.device])
    let key = try Curve25519.Signing.PublicKey(rawRepresentation: device.signingKey.bytes)
    #expect(key.isValidSignature(Array(envelope.signature), for: envelope.signedBytes))
  }
}
