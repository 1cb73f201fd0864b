"""layout.py SCRIPT - prints a C program that says where SCRIPT's layout tables and ring.h differ.

The tables are literals, read from the script's text: no gdb is needed.
"""
import ast
import sys

tables = {}
for node in ast.parse(open(sys.argv[1]).read()).body:
    if isinstance(node, ast.Assign) and node.targets[0].id in ("CONSTANTS", "FIELDS"):
        tables[node.targets[0].id] = ast.literal_eval(node.value)

print("#include <stdio.h>\n#include \"vprof/ring.h\"\nint main(void)\n{\n\tint checked = 0;")
for name, value in tables["CONSTANTS"].items():
    print('\tchecked++; if ((unsigned long long)%s != %dull) printf("%s\\n");' % (name, value, name))
for struct, fields in tables["FIELDS"].items():
    for field, (offset, size) in fields.items():
        print('\tchecked++; if (offsetof(struct %s, %s) != %d) printf("%s.%s offset\\n");'
              % (struct, field, offset, struct, field))
        if size:
            print('\tchecked++; if (sizeof(((struct %s *)0)->%s) != %d) printf("%s.%s size\\n");'
                  % (struct, field, size, struct, field))
print('\tprintf("checked %d\\n", checked);\n\treturn 0;\n}')
