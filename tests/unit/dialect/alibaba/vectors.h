/*
 * Signatures as real clients made them, against a listener, with the access key "testid" and the
 * secret "testsecret" at 2026-01-02T03:04:05Z.
 */
#ifndef OSTLER_TESTS_ALIBABA_VECTORS_H
#define OSTLER_TESTS_ALIBABA_VECTORS_H

static const struct v1_vector {
    const char *name, *method, *query, *body;
    const char *string; /* to sign; NULL: only the signature is known */
    const char *signature;
} v1_vectors[] = {
    {"V1-A", "GET",
     "AccessKeyId=testid&Action=StartInstance&Format=JSON&InitLocalDisk=false&InstanceId=i-bp6"
     "7acfmxazb4p1&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6"
     "cf&SignatureVersion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2014-05-26&Signature="
     "kLMkUYH39wnKhrbKwMkWkO0hUEo%3D",
     "",
     "GET&%2F&AccessKeyId%3Dtestid%26Action%3DStartInstance%26Format%3DJSON%26InitLocalDisk%3D"
     "false%26InstanceId%3Di-bp67acfmxazb4p1%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D"
     "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0%26Timestamp%3D2026-01-02T0"
     "3%253A04%253A05Z%26Version%3D2014-05-26",
     "kLMkUYH39wnKhrbKwMkWkO0hUEo="},
    {"V1-B", "POST", "",
     "AccessKeyId=testid&Action=StartInstances&DryRun=true&Format=JSON&InstanceId.1=i-1&Instan"
     "ceId.2=i-2&RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-4"
     "4af-a94f-4e0ad82fd6cf&SignatureVersion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=20"
     "14-05-26&Signature=sS1mQvJ171cRXYGm7BE%2BOfvmKKA%3D",
     "POST&%2F&AccessKeyId%3Dtestid%26Action%3DStartInstances%26DryRun%3Dtrue%26Format%3DJSON%"
     "26InstanceId.1%3Di-1%26InstanceId.2%3Di-2%26RegionId%3Dcn-hangzhou%26SignatureMethod%3DH"
     "MAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1."
     "0%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2014-05-26",
     "sS1mQvJ171cRXYGm7BE+OfvmKKA="},
    {"V1-C", "POST", "",
     "AccessKeyId=testid&Action=RunInstances&DataDisk.1.Category=cloud_essd&DataDisk.1.Size=20"
     "&Format=JSON&InstanceName=a%20b%2Ac~d%27e%28f%29%21%C3%A9%E4%B8%AD%2F%2B%3D%26%3F%23%25&"
     "RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e"
     "0ad82fd6cf&SignatureVersion=1.0&SystemDisk.Category=cloud_essd&Tag.1.Key=k%201&Tag.1.Val"
     "ue=v%2F1&Tag.2.Key=k2&Tag.2.Value=&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2014-05-26"
     "&Signature=a6KZ%2Bk0Npz7qAh1Ll4DCrm1rSC4%3D",
     "POST&%2F&AccessKeyId%3Dtestid%26Action%3DRunInstances%26DataDisk.1.Category%3Dcloud_essd"
     "%26DataDisk.1.Size%3D20%26Format%3DJSON%26InstanceName%3Da%2520b%252Ac~d%2527e%2528f%252"
     "9%2521%25C3%25A9%25E4%25B8%25AD%252F%252B%253D%2526%253F%2523%2525%26RegionId%3Dcn-hangz"
     "hou%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6c"
     "f%26SignatureVersion%3D1.0%26SystemDisk.Category%3Dcloud_essd%26Tag.1.Key%3Dk%25201%26Ta"
     "g.1.Value%3Dv%252F1%26Tag.2.Key%3Dk2%26Tag.2.Value%3D%26Timestamp%3D2026-01-02T03%253A04"
     "%253A05Z%26Version%3D2014-05-26",
     "a6KZ+k0Npz7qAh1Ll4DCrm1rSC4="},
    {"V1-D", "GET",
     "AccessKeyId=testid&Action=DescribeInstances&Format=JSON&InstanceIds=%5B%22i-1%22%2C%22i-"
     "2%22%5D&RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af"
     "-a94f-4e0ad82fd6cf&SignatureVersion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2014-"
     "05-26&Signature=7LYPfDxxE1FnR4kjouT05YAlQm0%3D",
     "",
     "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeInstances%26Format%3DJSON%26InstanceIds%"
     "3D%255B%2522i-1%2522%252C%2522i-2%2522%255D%26RegionId%3Dcn-hangzhou%26SignatureMethod%3"
     "DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D"
     "1.0%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2014-05-26",
     "7LYPfDxxE1FnR4kjouT05YAlQm0="},
    {"V1-E", "GET",
     "AccessKeyId=STS.testid&Action=DescribeRegions&Format=JSON&SecurityToken=tok%2Fen%2B%3D&S"
     "ignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVe"
     "rsion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2014-05-26&Signature=GiFMboL7r4JpSR"
     "9CGllzZRMfGlo%3D",
     "",
     "GET&%2F&AccessKeyId%3DSTS.testid%26Action%3DDescribeRegions%26Format%3DJSON%26SecurityTo"
     "ken%3Dtok%252Fen%252B%253D%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d"
     "3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0%26Timestamp%3D2026-01-02T03%253A04%253"
     "A05Z%26Version%3D2014-05-26",
     "GiFMboL7r4JpSR9CGllzZRMfGlo="},
    {"V1-F", "POST",
     "InstanceId=i-bp67acfmxazb4p1&InitLocalDisk=False&Version=2014-05-26&Action=StartInstance"
     "&Format=JSON&RegionId=cn-hangzhou&Timestamp=2026-01-02T03%3A04%3A05Z&SignatureMethod=HMA"
     "C-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad8"
     "2fd6cf&AccessKeyId=testid&Signature=R2zTiZL8nwL4z2gFQQQLuUYmjdY%3D",
     "",
     "POST&%2F&AccessKeyId%3Dtestid%26Action%3DStartInstance%26Format%3DJSON%26InitLocalDisk%3"
     "DFalse%26InstanceId%3Di-bp67acfmxazb4p1%26RegionId%3Dcn-hangzhou%26SignatureMethod%3DHMA"
     "C-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureType%3D%26Sign"
     "atureVersion%3D1.0%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2014-05-26",
     "R2zTiZL8nwL4z2gFQQQLuUYmjdY="},
    {"V1-G", "POST",
     "Action=RunInstances&Format=json&Version=2014-05-26&Timestamp=2026-01-02T03%3A04%3A05Z&Si"
     "gnatureNonce=3ee8c1b883d344afa94f4e0ad82fd6cf&SignatureMethod=HMAC-SHA1&SignatureVersion"
     "=1.0&AccessKeyId=testid&Signature=VXPIWFAXTDAw%2F7WYPzdtvxQZp3k%3D",
     "RegionId=cn-hangzhou&ImageId=img-1&InstanceType=ecs.g7.large&VSwitchId=vsw-1&SecurityGro"
     "upIds.1=sg-1&SecurityGroupIds.2=sg-2&InstanceName=a%20b*c~d&ClientToken=TF-RunInstances-"
     "1-x&SystemDisk.Category=cloud_essd&DataDisk.1.Size=20&DataDisk.1.Encrypted=false",
     "POST&%2F&AccessKeyId%3Dtestid%26Action%3DRunInstances%26ClientToken%3DTF-RunInstances-1-"
     "x%26DataDisk.1.Encrypted%3Dfalse%26DataDisk.1.Size%3D20%26Format%3Djson%26ImageId%3Dimg-"
     "1%26InstanceName%3Da%2520b%252Ac~d%26InstanceType%3Decs.g7.large%26RegionId%3Dcn-hangzho"
     "u%26SecurityGroupIds.1%3Dsg-1%26SecurityGroupIds.2%3Dsg-2%26SignatureMethod%3DHMAC-SHA1%"
     "26SignatureNonce%3D3ee8c1b883d344afa94f4e0ad82fd6cf%26SignatureVersion%3D1.0%26SystemDis"
     "k.Category%3Dcloud_essd%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26VSwitchId%3Dvsw-1%2"
     "6Version%3D2014-05-26",
     "VXPIWFAXTDAw/7WYPzdtvxQZp3k="},
    {"V1-H", "POST",
     "Action=StartInstance&Format=json&Version=2014-05-26&Timestamp=2026-01-02T03%3A04%3A05Z&S"
     "ignatureNonce=3ee8c1b883d344afa94f4e0ad82fd6cf&InitLocalDisk=false&InstanceId=i-bp67acfm"
     "xazb4p1&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=FtbZ"
     "6NEC0ovLF9zn52IO9fpWrpE%3D",
     "", NULL, "FtbZ6NEC0ovLF9zn52IO9fpWrpE="},
    {"V1-I", "POST",
     "AccessKeyId=testid&Action=StartInstance&Format=JSON&InstanceId=i-x&RegionId=cn-hangzhou&"
     "Signature=ww6LekxgL%2FAS6%2BSpjhs6tCpozNY%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=01"
     "23456789abcdef0123456789abcdef&SignatureType=&SignatureVersion=1.0&Timestamp=2026-01-02T"
     "03%3A04%3A05Z&Version=2014-05-26",
     "",
     "POST&%2F&AccessKeyId%3Dtestid%26Action%3DStartInstance%26Format%3DJSON%26InstanceId%3Di-"
     "x%26RegionId%3Dcn-hangzhou%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D0123456789ab"
     "cdef0123456789abcdef%26SignatureType%3D%26SignatureVersion%3D1.0%26Timestamp%3D2026-01-0"
     "2T03%253A04%253A05Z%26Version%3D2014-05-26",
     "ww6LekxgL/AS6+Spjhs6tCpozNY="},
};

static const struct v3_vector {
    const char *name, *action, *query, *body;
    bool token;         /* also x-acs-accesskey-id and x-acs-security-token, of STS.testid */
    const char *digest; /* SHA-256 of the canonical request */
    const char *signature;
} v3_vectors[] = {
    {"V3-A", "StartInstance", "InitLocalDisk=false&InstanceId=i-bp67acfmxazb4p1", "", false,
     "9ac1a377671175df76fb8799d94a47e550812842fa5ca8308da5737562af12bd",
     "ce9313a2c1f694ab93b07d9e1ac73b3c8d8646e20f4a936080970d3310a2709b"},
    {"V3-B", "StartInstances", "DryRun=true&InstanceId.1=i-1&InstanceId.2=i-2&RegionId=cn-hangzhou",
     "", false, "2a153ce9dfcec7e60a04aabdaca95d6ff229ddf94ed5a8b32a90409a4c3c7a99",
     "bbdb59d60da2ee2f7e4a3c7b7f148f8dddb334ca4a2a5c7cde522e126bf1fb93"},
    {"V3-C", "RunInstances",
     "Amount=1&DataDisk.1.Category=cloud_essd&DataDisk.1.Size=20&InstanceName=a%20b*c~d%27e(f)"
     "!%C3%A9%E4%B8%AD%2F%2B%3D%26%3F%23%25&RegionId=cn-hangzhou&Tag.1.Key=k%201&Tag.1.Value=v"
     "%2F1&Tag.2.Key=k2&Tag.2.Value=&SystemDisk.Category=cloud_essd&SystemDisk.Size=40",
     "", false, "1a33aeaf497748cfdc902a7520245012c6a0fe7cf705f7b6fb6db9640da093b3",
     "67b68259f7cc482a191a1d06288951364659f8a2f26b1b58b36c80b753936129"},
    {"V3-D", "DescribeInstances", "InstanceIds=%5B%22i-1%22%2C%22i-2%22%5D&RegionId=cn-hangzhou",
     "", false, "c3a49f14989154f4798ffcb7339037da19d1446a2759e8720e1367077d0e0e49",
     "ccc27aeda203ae3c24b4fa02b3f72340f241c2af1307f62f00bd5154f53525ec"},
    {"V3-E", "DescribeRegions", "", "", false,
     "a0c089a1cbf432952d79381b643439f38c4e14092089d3d00d29e4e5be18a5df",
     "a793f0e1b8109c1f0afbd8f4bcd98681708ef4493e5104f4d2fbaed3868fde96"},
    {"V3-F", "DescribeRegions", "", "", true,
     "e78b11803139049ef12b7b750800fc78034fd88eec8412f78e7fb6af0157a798",
     "9c73f956315a8488d04e4e1b70b167797154562fb2a4e646e953ab4662508436"},
    {"V3-G", "RunInstances", "",
     "RegionId=cn-hangzhou&ImageId=img-1&InstanceType=ecs.g7.large&VSwitchId=vsw-1&SecurityGro"
     "upIds.1=sg-1&SecurityGroupIds.2=sg-2&InstanceName=a%20b*c~d&ClientToken=TF-RunInstances-"
     "1-x&SystemDisk.Category=cloud_essd&DataDisk.1.Size=20&DataDisk.1.Encrypted=false",
     false, "ed230c5b02f6ed093d98671f175220ac814605c8b87b0e622ba20bae927db479",
     "74e626d84727a519e0b515850b3db53e18bec7d44ab35faa30d1113350ac7803"},
};

#endif
