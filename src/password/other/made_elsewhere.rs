//! Hashes that the libraries of other systems have made, for tests.

pub(super) const ASCII: &str = "correct horse battery staple";
pub(super) const UNICODE: &str = "pässwörd 語 🦀";
/// 40 times `long `: 200 bytes.
pub(super) const LONG: &str = "long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ";

#[cfg(feature = "bcrypt")]
pub(super) const BCRYPT: &[(&str, &str)] = &[
    // Django 5.2.19.
    (
        ASCII,
        "bcrypt_sha256$$2b$04$7WCpOR6LGH82HOB0KK06S.DFW3A10vFuIR0Co2ZcNlfjo4OQUjy2C",
    ),
    (
        ASCII,
        "bcrypt$$2b$04$XlUGt1zLmqpMQsXOLkppcu2dsS.wUKLusYEhL5w2QPrh8cywijCGG",
    ),
    (
        UNICODE,
        "bcrypt_sha256$$2b$04$Ar2nd.tj7duBJdzjod1bl.t4bE5R1oxPiYaMzX3eOLQeQYmfRQlqu",
    ),
    (
        UNICODE,
        "bcrypt$$2b$04$nSKyWP5Jr9POkN/ODHnMq.QT8tgm0.22pX0OEcP.4R8DRwCX45hj.",
    ),
    (
        LONG,
        "bcrypt_sha256$$2b$04$jg1faa55NFJVu0KhZbaOfOmoQ7NvQLvvl6GMICxU11B4Bzwzsp5aS",
    ),
    // bcrypt 5.0.0 (Python), of the first 72 bytes of LONG.
    (
        ASCII,
        "$2b$04$pH5H/DDyh1bLTSd7f/cVRew0T8vCowNb5/nqBcjfqGDACWTAQxtCW",
    ),
    (
        ASCII,
        "$2a$04$KkREJ5k2dMkAb5eAG6xnUO/w0ZJCux1T5ELX1uPAnZumEXOp6G5b.",
    ),
    (
        UNICODE,
        "$2b$04$DQfkpYkO61lBA5qjgq4Ta.b.03fQntCumV8BJyC1opmpYkBa/QnWm",
    ),
    (
        UNICODE,
        "$2a$04$KFuobkhLHklQEMtrFVUhP.ViY3UE2AzW40ml8xmxhNMH0GF/e2rda",
    ),
    (
        LONG,
        "$2b$04$f9jCVPg.3OSlYP0GJuLk6OkcxDDN3Z3JEk.R4QPSuTOTCpPMuOMeO",
    ),
    (
        LONG,
        "$2a$04$ANr2YMDXFKt3I.UlYG9sPuYdVOKXFPrEmWj0gmXoMDuuXq9ax0EPO",
    ),
    // libxcrypt 4.4, as PHP writes it.
    (
        ASCII,
        "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    ),
];

#[cfg(feature = "pbkdf2")]
pub(super) const PBKDF2: &[(&str, &str)] = &[
    // Werkzeug 3.1.9.
    (
        ASCII,
        "pbkdf2:sha256:1000$fx2hRUOK2p1F1m23$620854a4d69c1c5a366051d984186239d5e64c8af745cec51fb9e6b15a534495",
    ),
    (
        ASCII,
        "pbkdf2:sha512:1000$MKycO4AEfGnhDLv1$2daeaef31218840328e6ef507cebe2ccf3d541f76795b846fef4d8ef5b3db1b66aeef6991f1101abf007b0afc1efff74a3d9fcc9099e1bb5293d36029e5e1b2a",
    ),
    (
        ASCII,
        "pbkdf2:sha1:1000$z0OMSDeWWW3EoJJ7$460720105891dc31299041159bdbe9e2bebdeb45",
    ),
    (
        UNICODE,
        "pbkdf2:sha256:1000$G41rvFdBEsfxps77$b936524462c092679c7bf2a6a1b6aa55778d36a74bb7e24245c37c90b3584447",
    ),
    (
        UNICODE,
        "pbkdf2:sha512:1000$Vdi82ypJG6BrOL1U$076638051259939c0ed2cd0d586a826cb3930dadd113d112c40e89d695edaef8d59b29022cbd212158d899959526eea68368988a876dec67b9db7f5a68379dcb",
    ),
    (
        UNICODE,
        "pbkdf2:sha1:1000$qI9xe9eDD8JQCLJD$036f8fee63427dd4c26c8c4cb7b4cb6bdad5ee59",
    ),
    (
        LONG,
        "pbkdf2:sha256:1000$8B5mpm1TQBfcP8uY$e28a65b2506a8d8b8e9236566d91b97e13ef20290d3dae46460f208812f7024a",
    ),
    (
        LONG,
        "pbkdf2:sha512:1000$oTzqHc2gxmQpG066$59c7c1c7bd086dd25673881fb9840c186b106de59a188e77d198fee94051423fd2f045277d7ab3d14d3730579374224ff10c058fd14f510a13e80824e9624de5",
    ),
    (
        LONG,
        "pbkdf2:sha1:1000$Ldj1dTyjZ31fXhLi$bdf52ef9adccab6ceeed1ee2987197a154b3637c",
    ),
    // Django 5.2.19.
    (
        ASCII,
        "pbkdf2_sha256$1000$iNg37F59dFoQ44BbQaMdau$S42hxIIUonICak4LAZHKJQhwT02C5XVK0/HrBQedpv4=",
    ),
    (
        ASCII,
        "pbkdf2_sha1$1000$Ay9G7dTIQTqqKS7eIFggwp$yuscAUxxLdFMDh9QcM5CNQKbc+Y=",
    ),
    (
        UNICODE,
        "pbkdf2_sha256$1000$43XThld1YD1kFaBA2ktFui$k/wNYNQ1UTZ6ik5lziaokuWMOr+Qw9ErvlfxTwuWafM=",
    ),
    (
        UNICODE,
        "pbkdf2_sha1$1000$aNZu52CTSMe5gxwqUR4qRO$I3Oq1ZTmX50U8jJMDL6moPjEVTE=",
    ),
    (
        LONG,
        "pbkdf2_sha256$1000$1Ai8iZEoLYgW6SqhQ4soyR$z9ZP33/R5vcF3bhjoqleV8viSGGEYbN4g4ArxLeW2Bw=",
    ),
    (
        LONG,
        "pbkdf2_sha1$1000$6jniPxIiatET1wjsTHVeYW$V9FCIb4CSq0rjIlgPoGKlVOXpQY=",
    ),
    // passlib 1.7.4.
    (
        ASCII,
        "$pbkdf2-sha256$1000$RgjB.D8H4DwHoNTauxcixA$CVg2s.vsCjKphuwON3ZhHovuNxYa/iGaYoIcKi.KUv8",
    ),
    (
        ASCII,
        "$pbkdf2-sha512$1000$2hujVArhfC.FcA6BEIIQAg$OH0pZLO0DqPt7Oi1UiD3VzXFFiHvCPK.hVeKWAvh/KPf8aJo6erDjWM7xY0eHQqZ8d3Yk8I6BfQpaMKoIL27ng",
    ),
    (
        ASCII,
        "$pbkdf2$1000$XovR2jvHOEcohXAOYaz1Xg$lcWsWTlQI/Pv4bMB236Jucwu/lo",
    ),
    (
        UNICODE,
        "$pbkdf2-sha256$1000$bW3tHYNQyhmjlDLG2FvrvQ$GeByj0lFjDgIn9xVP/9Hj7.T1kwTB3632BFtqSvB5Ng",
    ),
    (
        UNICODE,
        "$pbkdf2-sha512$1000$8B6jFMLYG.M8R.j9f./9Pw$rmrAeI0qEh1eGFMc44Tu8AXfFUOHQJKC0MedDO.h23sawi9OjuJiFddm0lbJix.PYAekZka3J2AWI7dVX2sM8Q",
    ),
    (
        UNICODE,
        "$pbkdf2$1000$.X/P.Z/zXqt1zpnzvpeytg$YSltE0sspfBfK/LMFvmj1BH4POM",
    ),
    (
        LONG,
        "$pbkdf2-sha256$1000$VIoxRihlTIkRYqxVag3B.A$KDfIp8gVcXOemGGTCeiE4bCJ8VrvF5kgDMGdUmdZklI",
    ),
    (
        LONG,
        "$pbkdf2-sha512$1000$G0NIaY2R8r4XohSCUGrt/Q$iQ5/P5YUv.vclUb8Sh7jQBUNizjqup6Wa4eZxvejRPCUvG.y1LCXSjDAi3NsHrOHTs7nRdZmGf1DKyFDoT9V0g",
    ),
    (
        LONG,
        "$pbkdf2$1000$nlMqpdQaY8w5x7j3nvN.zw$qIJj.U0KvRE0A1yPo3zWzDBPW9w",
    ),
    // password-auth 1.0.0 (scrypt 0.11.0, pbkdf2 0.12.2).
    (
        ASCII,
        "$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbiBieXRlcyBvaw$gpLtVvyi1c1YtH6m24Uxsa9pTVES7Rk/JsZJL4Nv5no",
    ),
    (
        UNICODE,
        "$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbiBieXRlcyBvaw$KjSk4Ze1Peke/DbnIO+yvp9Sy8p0U6OwXrhrZFBEvkY",
    ),
    (
        LONG,
        "$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbiBieXRlcyBvaw$hcXktY6A7BmtlMp+TuqIPQHbPsq8uR18SI0OeSWiAE0",
    ),
];

#[cfg(feature = "scrypt")]
pub(super) const SCRYPT: &[(&str, &str)] = &[
    // Werkzeug 3.1.9.
    (
        ASCII,
        "scrypt:32768:8:1$enWAfl4rrEaLaBwR$271a98bb51ffe53c67074b66e231e44cf2c0bed44f10665285e98be582ae00e11f85223bb97b2ade044d7ad38f64848b089b410c8fa6f754065f5d89a87dd231",
    ),
    (
        ASCII,
        "scrypt:1024:8:1$au7bTqt5J6f13Cf2$f0fb938183c414423c4f94b0170432670b852af5d3136bbf903ba1ec9d64cebff6ac09fd19c841df06fabedea420cecdcd7bcb2ceca9c9677d5c25362d26249b",
    ),
    (
        UNICODE,
        "scrypt:1024:8:1$2EcS0d1KjrwMomKb$ecef3b1f3a7444128f2736450b9dcd4cf0da2f53588c6b67e0c2de706e409f68f5a91c8679c05301ffbfb0db30820f23297f461fedf5f7c288769a2f2a4fc494",
    ),
    (
        LONG,
        "scrypt:1024:8:1$3wF29uBswyKeXXVx$aa1445866aeb80dc1091bb5cfebcce8e1e0058581be7fc0f741bfa67a960489a546104098b46f2cfccd1926d074091830d11e7fea00606258666f7037805ced0",
    ),
    // Django 5.2.19.
    (
        ASCII,
        "scrypt$1024$nsAErGtmW3rNGOn7UlXyYJ$8$5$S6/3dgL2kYf3VPuTpTNoavm6lCNMVuBUJqNLmIpKd+t1pIJacRLsGGajs5ZPljQOoRTYaRq0qKUrO7WZW3/5vw==",
    ),
    (
        UNICODE,
        "scrypt$1024$6cY1FUbif4E2lmZaWcuHoB$8$5$rlDBZwuUX5NGdQrFz/oxcOGpwNPwVxWRN1fwu6WvtQMiZwX4YJaOoQatwlBQzueFGeCGYDvzQeZ2AFaZIDfcwg==",
    ),
    (
        LONG,
        "scrypt$1024$Bar8jJwb4UZ7Lj1mmHcEgY$8$5$DFzk2v0MQMACd2aPHiXWuRmhcPhHx+uVQBmdYCLvQd74lnAhKlmroGFbDiBLzJv5QbOEQVSDvIRnWlwpxvlxYQ==",
    ),
    // passlib 1.7.4.
    (
        ASCII,
        "$scrypt$ln=10,r=8,p=1$2BsD4LxX6r03htC6t/Zeiw$urjUkhunL7CVUZC5/Xw+8zxoi/BXCoP4WB9zmZKVrrk",
    ),
    (
        UNICODE,
        "$scrypt$ln=10,r=8,p=1$UYqxtrbWmhPC+B9jzHnPmQ$OIJFSayQIfzuBH8IrEBWzBdXsxXt27PwtrDTPKz3AYM",
    ),
    (
        LONG,
        "$scrypt$ln=10,r=8,p=1$A8C4l9K6d25Nac25F0LIOQ$V8eKqvNvPT8122JPIl4p3iRQRxjTbaE4XFk7XNg4LO4",
    ),
    // password-auth 1.0.0 (scrypt 0.11.0, pbkdf2 0.12.2).
    (
        ASCII,
        "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlcyBvaw$IowfNN4reka4NTqi6Ekd40BVg/M5tERyc0DWCxXeCIE",
    ),
    (
        UNICODE,
        "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlcyBvaw$iiW+XQEy+ZEy/XSbywDmncgLTzH6tqr5gaftfA2f06o",
    ),
    (
        LONG,
        "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlcyBvaw$8eEfiG2ksCLrVMyO9/ULAaJ7HvhzljK0ts0g8kRphWE",
    ),
];

pub(super) const ARGON2: &[(&str, &str)] = &[
    // Django 5.2.19.
    (
        ASCII,
        "argon2$argon2id$v=19$m=64,t=2,p=1$WUt5R3BRV0JMdG9oc0xaeXBXMUhXeQ$Whr8+34IRcyAb5K+vKzhVsjI6C4sUcyTWMwf7ifLCxI",
    ),
    (
        UNICODE,
        "argon2$argon2id$v=19$m=64,t=2,p=1$NGF6aDZlYVdMMXVKa0lOb2NmTXJlTA$vYdGud3iFxf9VdjFPZxDemdI7lk5+0P3n0ABf/1xyiM",
    ),
    (
        LONG,
        "argon2$argon2id$v=19$m=64,t=2,p=1$UzYwa2tMdUpxd25PckZOSmptZEhzeg$F3dZHSHa1foudWtoDJ1cKUDPwuTnOH9uG/UUva0/y5o",
    ),
    // passlib 1.7.4.
    (
        ASCII,
        "$argon2id$v=19$m=64,t=2,p=1$MYbQWkspxRjjnFPqHaN0rg$zrDkwtLhqq+XU2QsYwuDZwee1Nh6MxoSPzC79+kczJ4",
    ),
    (
        UNICODE,
        "$argon2id$v=19$m=64,t=2,p=1$ak2JsbaWstZ6LwWgNGYsxQ$4rp/XR6hj/0sRyls6QGAyySADH6b67WgtSwAxFuY4j0",
    ),
    (
        LONG,
        "$argon2id$v=19$m=64,t=2,p=1$51yL8d47x1gLIeSc05oTYg$7AWShWrO5PEScsJkQgbmaGkonWvdrJF0wG/+parqcCU",
    ),
    // password-auth 1.0.0 (scrypt 0.11.0, pbkdf2 0.12.2).
    (
        ASCII,
        "$argon2id$v=19$m=19456,t=2,p=1$qLC02SIsJ3rqLEyO7zh7KA$yxT81CWn21nTXrz07WsZInMbMQNtqzQKXb/XoaRHOHI",
    ),
    (
        UNICODE,
        "$argon2id$v=19$m=19456,t=2,p=1$h8y6VRi3bgUbrkNjdgylfA$T9bAZAI6UflJU5qwkf3FUWdCv57+KCOE4HB1LbqRGSM",
    ),
    (
        LONG,
        "$argon2id$v=19$m=19456,t=2,p=1$U1AVKWl5HION7qTiI+9ppA$cwBNf1aLIu8oktk6SDEP0VKvW1640Oe2tIGFwvwr5/8",
    ),
];
