#!/usr/bin/env python3
"""embed.py NAME INPUT OUTPUT: writes the bytes of INPUT as a C array `const char NAME[]`, ended by a NUL."""
import sys

name, source, target = sys.argv[1:]
data = open(source, 'rb').read() + b'\0'
rows = [','.join(str(b if b < 128 else b - 256) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, 'w') as out:
    out.write('/* Made from a data file by tools/embed.py. */\n')
    out.write(f'extern const char {name}[];\nconst char {name}[] = {{\n' + ',\n'.join(rows) + '\n};\n')
