import Foundation
import Testing
import Wire

@testable import Vault

@Suite struct OneTimeCodeTests {
  /// RFC 6238, appendix B: the secret of each algorithm is as long as its hash.
  @Test(
    arguments: [
      (59, "94287082", "46119246", "90693936"),
      (1_111_111_109, "07081804", "68084774", "25091201"),
      (1_111_111_111, "14050471", "67062674", "99943326"),
      (1_234_567_890, "89005924", "91819424", "93441116"),
      (2_000_000_000, "69279037", "90698825", "38618901"),
      (20_000_000_000, "65353130", "77737706", "47863826"),
    ] as [(Int64, String, String, String)])
  func codesAreThoseOfTheRFC(time: Int64, sha1: String, sha256: String, sha512: String) throws {
    for (algorithm, length, expected) in [
      ("SHA1", 20, sha1), ("SHA256", 32, sha256), ("SHA512", 64, sha512),
    ] {
      let seed = String(repeating: "1234567890", count: 7).prefix(length)
      let code = try OneTimeCode(
        "otpauth://totp/bank.example:ann?secret=\(base32(seed))&digits=8&algorithm=\(algorithm)")
      #expect(code.code(at: time) == expected)
    }
  }

  private func base32(_ text: Substring) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var bits = text.utf8.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
    while !bits.count.isMultiple(of: 5) { bits.append(0) }
    return String(
      stride(from: 0, to: bits.count, by: 5).map { start in
        alphabet[bits[start..<(start + 5)].reduce(0) { $0 << 1 | Int($1) }]
      })
  }

  @Test func bareSecretIsReadAsSitesShowIt() throws {
    let code = try OneTimeCode("JBSWY3DPEHPK3PXP")
    #expect(code == (try OneTimeCode(" jbsw y3dp-ehpk 3pxp== \n")))
    #expect(code.digits == 6)
    #expect(code.period == 30)
    #expect(code.algorithm == .sha1)
    #expect(code.code(at: 0) == "282760")
  }

  @Test func uriSaysDigitsPeriodAndAlgorithm() throws {
    let code = try OneTimeCode(
      "OTPAUTH://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=bank.example&digits=7&period=60&algorithm=sha256"
    )
    #expect(code.digits == 7)
    #expect(code.period == 60)
    #expect(code.algorithm == .sha256)
    #expect(code.code(at: 0).count == 7)
  }

  @Test func secondsLeftCountDownToOne() throws {
    let code = try OneTimeCode("JBSWY3DPEHPK3PXP")
    #expect(code.secondsLeft(at: 60) == 30)
    #expect(code.secondsLeft(at: 89) == 1)
    #expect(code.secondsLeft(at: 90) == 30)
    #expect(code.secondsLeft(at: -5) == 30)
    #expect(code.code(at: -5) == code.code(at: 0))
  }

  @Test(arguments: [
    "", "1890", "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP&counter=1", "otpauth://totp/x",
    "otpauth://totp/x?secret=", "otpauth://totp/x?secret=JBSWY3DP&digits=5",
    "otpauth://totp/x?secret=JBSWY3DP&digits=99999999999999999999",
    "otpauth://totp/x?secret=JBSWY3DP&period=0", "otpauth://totp/x?secret=JBSWY3DP&algorithm=MD5",
    "otpauth://totp/x?secret=JBSWY3DP&secret=JBSWY3DQ",
  ])
  func textThatIsNoOneTimeCodeIsRefused(text: String) {
    #expect(throws: VaultError.self) { try OneTimeCode(text) }
  }
}

@Suite struct PasswordRecipeTests {
  @Test(arguments: [
    PasswordRecipe(), PasswordRecipe(kind: .words, words: 5, separator: " = "),
    PasswordRecipe(kind: .pin, length: 4, classes: [.digits], excludeLookAlikes: true),
    PasswordRecipe(classes: [], separator: ""),
  ]) func aRecipeIsReadAsItWasWritten(recipe: PasswordRecipe) {
    #expect(PasswordRecipe(text: recipe.text) == recipe)
  }

  @Test func aRecipeOfALaterProgramIsNoneAndUnknownWordsArePassedOver() {
    #expect(PasswordRecipe(text: "kind=runes length=4") == nil)
    #expect(
      PasswordRecipe(text: "kind=pin x length=7 colour=red length")
        == PasswordRecipe(
          kind: .pin, length: 7))
    #expect(PasswordRecipe(text: "") == PasswordRecipe())
  }

  @Test func randomPasswordHasItsLengthAndEveryClass() {
    var entropy = SeededEntropy("random")
    for length in [4, 5, 20, 128] {
      let recipe = PasswordRecipe(kind: .random, length: length)
      for _ in 0..<50 {
        let password = recipe.generate(entropy: &entropy)
        #expect(password.count == length)
        #expect(password.contains { $0.isLowercase })
        #expect(password.contains { $0.isUppercase })
        #expect(password.contains { $0.isNumber })
        #expect(password.contains { !$0.isLetter && !$0.isNumber })
      }
    }
  }

  @Test func chosenClassesAndNoLookAlikesAreKept() {
    var entropy = SeededEntropy("classes")
    let recipe = PasswordRecipe(
      kind: .random, length: 128, classes: [.lower, .digits], excludeLookAlikes: true)
    let password = recipe.generate(entropy: &entropy)
    #expect(password.allSatisfy { $0.isLowercase || $0.isNumber })
    #expect(!password.contains { "0o1l".contains($0) })
  }

  /// Four digits and four places, by counting: nothing is likelier than anything else.
  @Test func everyAllowedPasswordIsEquallyLikely() {
    var entropy = SeededEntropy("uniform")
    var first: [Character: Int] = [:]
    let recipe = PasswordRecipe(kind: .random, length: 4, classes: [.digits])
    for _ in 0..<5000 {
      for character in recipe.generate(entropy: &entropy) { first[character, default: 0] += 1 }
    }
    #expect(first.count == 10)
    #expect(first.values.allSatisfy { (1800...2200).contains($0) })
  }

  @Test func wordsAndPinsAreWhatWasAskedFor() {
    var entropy = SeededEntropy("words")
    let words = PasswordRecipe(kind: .words, words: 5, separator: ".")
      .generate(entropy: &entropy).split(separator: ".").map(String.init)
    #expect(words.count == 5)
    #expect(words.allSatisfy(WordList.words.contains))
    let pin = PasswordRecipe(kind: .pin, length: 6).generate(entropy: &entropy)
    #expect(pin.count == 6)
    #expect(pin.allSatisfy { $0.isASCII && $0.isNumber })
  }

  @Test func bitsCountThePasswordsThereAre() {
    #expect(PasswordRecipe(kind: .words, words: 6).bits == 60)
    #expect(abs(PasswordRecipe(kind: .pin, length: 6).bits - log2(1e6)) < 1e-9)
    let digits = PasswordRecipe(kind: .random, length: 4, classes: [.digits])
    #expect(abs(digits.bits - log2(1e4)) < 1e-9)
    let both = PasswordRecipe(kind: .random, length: 4, classes: [.lower, .digits])
    let count = Double(36 * 36 * 36 * 36 - 26 * 26 * 26 * 26 - 10 * 10 * 10 * 10)
    #expect(abs(both.bits - log2(count)) < 1e-9)
    #expect(PasswordRecipe().bits > 120)
  }

  @Test func valuesOutOfRangeCountAsTheNearest() throws {
    var entropy = SeededEntropy("range")
    #expect(PasswordRecipe(kind: .pin, length: 0).generate(entropy: &entropy).count == 4)
    #expect(PasswordRecipe(kind: .random, length: 9999).generate(entropy: &entropy).count == 128)
    #expect(PasswordRecipe(kind: .words, words: -1, separator: " ").bits == 20)
    let none = PasswordRecipe(kind: .random, classes: [])
    #expect(none.bits == PasswordRecipe().bits)
    let again = try JSONDecoder().decode(
      PasswordRecipe.self, from: JSONEncoder().encode(PasswordRecipe()))
    #expect(again == PasswordRecipe())
  }
}

@Suite struct WordListTests {
  @Test func listIsExactlyTenBitsOfDistinctShortWords() {
    let words = WordList.words
    #expect(words.count == 1024)
    #expect(Set(words).count == 1024)
    #expect(words == words.sorted())
    #expect(
      words.allSatisfy { word in
        (3...7).contains(word.count)
          && word.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      })
  }

  /// Both sides of a pairing count on the same list, so it must never change.
  @Test func listNeverChanges() {
    let digest = Digest32.sha256(Array(WordList.words.joined(separator: " ").utf8))
    #expect(digest.description == "0d9DK5edF0R5rN0kyxZrctszE-EN-Pf4oKhmTy0i92s")
  }
}
